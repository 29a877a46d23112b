import fc from 'fast-check';
import { SEVERITIES, TARGETS } from '../../../../hardening/check.ts';
import { VERDICTS, type Waiver } from '../../../../hardening/finding.ts';
import { ceilingOf, fitnessOf } from '../../../../hardening/report/fitness.ts';
import { countVerdicts, isAtLeast, type Report, type Result } from '../../../../hardening/report/report.ts';
import { scoreOf } from '../../../../hardening/report/score.ts';
import { exampleReport, HOSTILE } from './fixture.ts';

/** Any text, lone surrogates and control characters among it, and often one that is made to hurt. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(HOSTILE, '', ' ', '\n', '</style>', '<!--', ']]>', '`', '__proto__'),
);
const short = text.map((words) => words.slice(0, 32));
const time = fc
  .integer({ min: Date.UTC(2020, 0), max: Date.UTC(2090, 0) })
  .map((moment) => new Date(moment).toISOString());
const perPlatform = fc.dictionary(fc.constantFrom('any', 'process', 'docker', 'kubernetes'), text, {
  minKeys: 0,
  noNullPrototype: true,
});
const waiver: fc.Arbitrary<Waiver> = fc.record({
  check: short,
  owner: short,
  reason: text,
  until: time.map((moment) => moment.slice(0, 10)),
  since: time,
});

const result = fc.record(
  {
    check: short,
    verdict: fc.constantFrom(...VERDICTS),
    reason: text,
    evidence: fc.array(
      fc.record(
        {
          subject: text,
          source: fc.record({ file: text, line: fc.integer({ min: 1, max: 2 ** 31 }) }),
          observed: fc.oneof(fc.boolean(), fc.maxSafeInteger(), text, fc.array(text, { maxLength: 5 })),
          error: text,
          holds: fc.boolean(),
        },
        { requiredKeys: ['subject', 'holds'] },
      ),
      { maxLength: 4 },
    ),
    waiver,
    title: text,
    failure: text,
    target: fc.constantFrom(...TARGETS),
    severity: fc.constantFrom(...SEVERITIES),
    mode: fc.constantFrom('automated', 'manual'),
    fact: text,
    about: text,
    expected: text,
    rationale: text,
    remediation: perPlatform,
    see: perPlatform,
    refs: fc.array(
      fc.record({
        standard: fc.oneof(text, fc.constant('HIPAA')),
        version: text,
        clause: fc.oneof(text, fc.constantFrom('164.312(b)', '164.308(a)(8)', '164.999(z)')),
        title: text,
      }),
      { maxLength: 3 },
    ),
  },
  {
    requiredKeys: [
      'check',
      'verdict',
      'evidence',
      'title',
      'target',
      'severity',
      'mode',
      'rationale',
      'remediation',
      'see',
      'refs',
    ],
  },
) as fc.Arbitrary<Result>;

/** Any report that parseReport would let in: whole in itself, hostile in every text. */
export const anyReport: fc.Arbitrary<Report> = fc
  .record({
    results: fc.uniqueArray(result, { selector: ({ check }) => check, maxLength: 6 }),
    threshold: fc.constantFrom(...SEVERITIES),
    words: short,
    idleWaivers: fc.array(waiver, { maxLength: 2 }),
    createdAt: time,
    scores: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 4 }),
  })
  .map(({ results, threshold, words, idleWaivers, createdAt, scores }): Report => {
    const fitness = fitnessOf(
      results.map(({ check, severity, verdict, title }) => ({ check, severity, verdict, words: title })),
    );
    const bad = (verdict: string) =>
      results.filter((one) => one.verdict === verdict && isAtLeast(one.severity, threshold)).map(({ check }) => check);
    const counts = countVerdicts(results);
    return {
      ...exampleReport('nectar-gateway'),
      createdAt,
      tool: { name: words, version: words },
      node: { id: words, target: words, network: words },
      profile: { name: words, title: words, about: words, threshold },
      results,
      counts,
      fitness,
      score: scoreOf(results, { ceiling: ceilingOf(fitness.promises) }),
      failed: bad('fail'),
      unseen: bad('error'),
      idleWaivers,
      collections: [
        { collector: words, kinds: ['node'], adds: [words], privilege: words, outcome: 'failed', reason: words },
      ],
      history: scores.map((score) => ({ createdAt, profile: words, score, counts })),
    };
  });
