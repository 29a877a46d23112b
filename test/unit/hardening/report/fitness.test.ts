import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../../../../hardening/finding.ts';
import { loadBenchmark } from '../../../../hardening/load-benchmark.ts';
import {
  ceilingOf,
  decidesFitness,
  fitnessOf,
  fitnessSentence,
  type JudgedPromise,
} from '../../../../hardening/report/fitness.ts';
import { REPORT_FORMATS, renderReport } from '../../../../hardening/report/formats.ts';
import { parseReport, renderJson } from '../../../../hardening/report/parse-report.ts';
import { postureWords } from '../../../../hardening/report/posture.ts';
import { createReport } from '../../../../hardening/report/report.ts';
import { PLAIN } from '../../../../hardening/report/terminal/text.ts';
import { BENCHMARK, exampleFacts, exampleReport, goodReport } from './fixture.ts';

const promise = (verdict: Verdict, change: Partial<JudgedPromise> = {}): JudgedPromise => ({
  ...{ check: 'BYON-HST-001', severity: 'high', verdict, words: 'the data disk is not encrypted' },
  ...change,
});
const sentence = (...promises: readonly JudgedPromise[]): string => fitnessSentence(fitnessOf(promises));

test('is fit when every promise was seen to be kept', () => {
  assert.equal(sentence(promise('pass'), promise('not-applicable')), 'Fit for patient data: yes.');
});

test('says what is wrong, from the worst, and what was not seen', () => {
  const said = sentence(
    promise('fail'),
    promise('fail', { severity: 'critical', words: 'a key is stored unencrypted' }),
    promise('error', { words: 'Swap is encrypted', check: 'BYON-HST-002' }),
    promise('error', { check: 'BYON-HST-004' }),
  );
  assert.equal(
    said,
    'Fit for patient data: not yet, because a key is stored unencrypted; the data disk is not encrypted; 2 promises were not seen, the first "Swap is encrypted" (BYON-HST-002).',
  );
});

test('names a few failures and counts the rest', () => {
  const { reasons } = fitnessOf(Array.from({ length: 9 }, () => promise('fail')));
  assert.deepEqual([reasons.length, reasons.at(-1)], [7, '3 more failed']);
});

test('takes no waiver for a critical promise, and names what a waiver accepts elsewhere', () => {
  assert.equal(
    sentence(promise('pass'), promise('waived')),
    'Fit for patient data: yes, although the data disk is not encrypted, which was accepted in writing.',
  );
  const critical = fitnessOf([promise('pass'), promise('waived', { severity: 'critical' })]);
  assert.deepEqual([critical.fit, ceilingOf(critical.promises)], [false, 69]);
});

test('is not fit where nothing was looked at', () => {
  assert.equal(fitnessOf([]).fit, false);
  assert.equal(fitnessOf([promise('not-applicable')]).fit, false);
});

for (const verdict of ['fail', 'error', 'waived'] as const) {
  test(`gives no score of 100 while a critical promise has the verdict ${verdict}`, () => {
    assert.ok(ceilingOf([promise(verdict, { severity: 'critical' })]) < 100);
    assert.equal(ceilingOf([promise(verdict)]), 100);
  });
}

test('counts a broken promise that the profile leaves out', () => {
  const [profile] = BENCHMARK.profiles;
  assert.ok(profile);
  const facts = exampleFacts('nectar-gateway', true);
  const broken = {
    ...facts,
    subjects: facts.subjects.map((subject) =>
      subject.kind === 'node'
        ? { ...subject, facts: { ...subject.facts, 'node.auditIntegrity': { value: 'violated' } } }
        : subject,
    ),
  };
  const report = createReport({
    ...{ benchmark: BENCHMARK, facts: broken, waivers: [], history: [], now: () => 0 },
    profile: { ...profile, checks: ['BYON-FIL-001'] },
  });
  assert.deepEqual([report.counts.pass, report.counts.fail, report.score.value], [1, 0, 69]);
  assert.match(fitnessSentence(report.fitness), /not yet, because it is not so: The audit log is whole\.$/);
});

test('decides by every critical check that looks for itself, and by those of the profile', () => {
  const benchmark = loadBenchmark();
  const decides = decidesFitness(benchmark);
  const ids = benchmark.checks.filter(decides).map(({ id }) => id);
  for (const { id, severity, mode } of benchmark.checks) {
    if (severity === 'critical' && mode === 'automated') assert.ok(ids.includes(id), id);
  }
  for (const id of ['CFG-026', 'DAT-038', 'ENG-001', 'FIL-007', 'HST-001']) assert.ok(ids.includes(`BYON-${id}`), id);
  assert.deepEqual(ids.toSorted(), benchmark.profiles.find(({ name }) => name === 'patient-data')?.checks.toSorted());
});

test('refuses a report whose sentence is not that of its promises', () => {
  const bytes = (report: object): Uint8Array => Buffer.from(JSON.stringify(report));
  const report = JSON.parse(renderJson(exampleReport('nectar-gateway'))) as ReturnType<typeof exampleReport>;
  assert.deepEqual(parseReport(bytes(report), 'r'), report);
  const { fitness } = report;
  const kinder = [
    { ...report, fitness: { ...fitness, fit: true } },
    { ...report, fitness: { ...fitness, reasons: [] } },
    { ...report, fitness: fitnessOf(fitness.promises.map((one) => ({ ...one, verdict: 'pass' as const }))) },
    { ...report, score: { ...report.score, ceiling: 100 } },
  ];
  for (const edited of kinder) {
    assert.throws(() => parseReport(bytes(edited), 'r'), { code: 'HARDENING_REPORT_INVALID' });
  }
});

test('is in every format, beside the posture of node, host and network', () => {
  for (const report of [exampleReport('nectar-gateway'), goodReport()]) {
    const wanted = report.fitness.fit ? /Fit for patient data: yes/ : /Fit for patient data: not yet/;
    for (const format of REPORT_FORMATS) {
      const text = renderReport(report, format, { screen: PLAIN });
      if (format === 'json') assert.match(text, /"fitness": \{/);
      else assert.match(text, wanted, format);
    }
  }
  const [node, host, network] = goodReport().posture;
  assert.deepEqual([node?.side, host?.side, network?.side], ['node', 'host', 'network']);
  assert.ok(node);
  assert.match(postureWords(node), /^\d+ of \d+ passed/);
});
