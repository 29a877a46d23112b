import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { type CoveredClause, coverageOf } from '../../../hardening/standard.ts';

const { checks, profiles, standards } = loadBenchmark();
const clausesOf = (name: string, part = ''): readonly CoveredClause[] =>
  standards
    .filter(({ standard }) => standard === name)
    .flatMap((standard) => coverageOf(standard, checks))
    .filter(({ clause }) => clause.startsWith(part));
const HIPAA = 'HIPAA Security Rule';
const numbers = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}.${index + 1}`);

/** What each standard has, counted in its own text, so that a clause that is left out here is missed. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'CIS Docker Benchmark': [
    ...[...numbers('1.1', 18), ...numbers('1.2', 2), ...numbers('2', 18), ...numbers('3', 24)],
    ...[...numbers('4', 12), ...numbers('5', 32)],
  ],
  'CIS Kubernetes Benchmark': [
    ...[...numbers('5.1', 13), ...numbers('5.2', 12), ...numbers('5.3', 2), ...numbers('5.4', 2)],
    ...[...numbers('5.5', 1), ...numbers('5.6', 4)],
  ],
  'NIST SP 800-190': [
    ...[...numbers('4.1', 5), ...numbers('4.2', 3), ...numbers('4.3', 5), ...numbers('4.4', 5), ...numbers('4.5', 5)],
    '4.6',
  ],
};
const TECHNICAL = [
  ...['(a)(1)', '(a)(2)(i)', '(a)(2)(ii)', '(a)(2)(iii)', '(a)(2)(iv)', '(b)', '(c)(1)', '(c)(2)', '(d)'],
  ...['(e)(1)', '(e)(2)(i)', '(e)(2)(ii)'],
].map((paragraph) => `164.312${paragraph}`);

for (const [standard, expected] of Object.entries(EXPECTED)) {
  test(`leaves no clause out: ${standard}`, () => {
    assert.deepEqual(
      clausesOf(standard)
        .map(({ clause }) => clause)
        .sort(),
      [...expected].sort(),
    );
  });
}

test('leaves no control of the Pod Security Standards out, and no section of the NSA/CISA guidance', () => {
  const levels = clausesOf('Kubernetes Pod Security Standards').map(({ clause }) => clause.split(': ')[0]);
  assert.equal(levels.filter((level) => level === 'Baseline').length, 12);
  assert.equal(levels.filter((level) => level === 'Restricted').length, 7);
  assert.equal(clausesOf('NSA/CISA Kubernetes Hardening Guidance').length, 30);
});

test('leaves no standard or specification of 164.308 to .316 out', () => {
  const found = clausesOf(HIPAA, '164.312').map(({ clause }) => clause);
  assert.deepEqual(found.sort(), TECHNICAL.sort());
  const count = (section: string): number => clausesOf(HIPAA, section).length;
  assert.deepEqual(['164.308', '164.310', '164.314', '164.316'].map(count), [30, 12, 6, 5]);
});

test('states for every clause of HIPAA whether it is a standard, required or addressable', () => {
  for (const { clause, rule } of clausesOf(HIPAA)) assert.ok(rule !== undefined, clause);
  const of = (clause: string): string | undefined =>
    clausesOf(HIPAA).find((candidate) => candidate.clause === clause)?.rule;
  assert.equal(of('164.312(b)'), 'standard');
  assert.equal(of('164.312(a)(2)(i)'), 'required');
  assert.equal(of('164.312(a)(2)(iv)'), 'addressable');
  assert.equal(of('164.312(d)'), 'standard');
});

test('gives live evidence for every standard and specification of 164.312 in the default profile', () => {
  const node = profiles.find(({ name }) => name === 'node')?.checks ?? [];
  for (const { clause, checks: citing } of clausesOf(HIPAA, '164.312')) {
    const live = citing.filter(
      (id) => node.includes(id) && checks.some((check) => check.id === id && check.mode === 'automated'),
    );
    assert.ok(live.length > 0, clause);
  }
});
