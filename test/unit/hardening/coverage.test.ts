import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';

interface Clause {
  readonly clause: string;
  readonly title: string;
  readonly rule?: 'standard' | 'required' | 'addressable';
  readonly checks?: readonly string[];
  readonly notApplicable?: string;
  readonly note?: string;
}
interface Coverage {
  readonly standard: string;
  readonly version: string;
  readonly clauses: readonly Clause[];
}

const FOLDER = new URL('../../../hardening/coverage/', import.meta.url);
const { checks, profiles } = loadBenchmark();
const files = readdirSync(FOLDER).sort();
const coverages = new Map(files.map((file) => [file, parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Coverage]));
const clausesOf = (file: string): readonly Clause[] => coverages.get(file)?.clauses ?? [];
const numbers = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}.${index + 1}`);

/** What each standard has, counted in its own text, so that a clause that is left out here is missed. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'cis-docker-1.6.0.yaml': [
    ...[...numbers('1.1', 18), ...numbers('1.2', 2), ...numbers('2', 18), ...numbers('3', 24)],
    ...[...numbers('4', 12), ...numbers('5', 32)],
  ],
  'cis-kubernetes-5.yaml': [
    ...[...numbers('5.1', 13), ...numbers('5.2', 12), ...numbers('5.3', 2), ...numbers('5.4', 2)],
    ...[...numbers('5.5', 1), ...numbers('5.6', 4)],
  ],
  'nist-800-190.yaml': [
    ...[...numbers('4.1', 5), ...numbers('4.2', 3), ...numbers('4.3', 5), ...numbers('4.4', 5), ...numbers('4.5', 5)],
    '4.6',
  ],
  'hipaa-164.312.yaml': [
    ...['(a)(1)', '(a)(2)(i)', '(a)(2)(ii)', '(a)(2)(iii)', '(a)(2)(iv)', '(b)', '(c)(1)', '(c)(2)', '(d)'],
    ...['(e)(1)', '(e)(2)(i)', '(e)(2)(ii)'],
  ].map((paragraph) => `164.312${paragraph}`),
};

test('has a file for each standard that checks cite, and each clause that they cite is in it', () => {
  const known = new Set(
    [...coverages.values()].flatMap(({ standard, version, clauses }) =>
      clauses.map(({ clause, title }) => JSON.stringify([standard, version, clause, title])),
    ),
  );
  const unknown = checks.flatMap(({ id, refs }) =>
    refs
      .map(({ standard, version, clause, title }) => JSON.stringify([standard, version, clause, title]))
      .filter((ref) => !known.has(ref))
      .map((ref) => `${id}: ${ref}`),
  );
  assert.deepEqual(unknown, []);
});

for (const [file, expected] of Object.entries(EXPECTED)) {
  test(`leaves no clause out: ${file}`, () => {
    assert.deepEqual(
      clausesOf(file)
        .map(({ clause }) => clause)
        .sort(),
      [...expected].sort(),
    );
  });
}

test('leaves no control of the Pod Security Standards out, and no section of the NSA/CISA guidance', () => {
  const levels = clausesOf('pss-restricted.yaml').map(({ clause }) => clause.split(': ')[0]);
  assert.equal(levels.filter((level) => level === 'Baseline').length, 12);
  assert.equal(levels.filter((level) => level === 'Restricted').length, 7);
  assert.equal(clausesOf('nsa-cisa.yaml').length, 30);
});

test('leaves no standard or specification of 164.308, .310, .314 and .316 out', () => {
  const count = (section: string): number =>
    clausesOf('hipaa-other.yaml').filter(({ clause }) => clause.startsWith(section)).length;
  assert.deepEqual(['164.308', '164.310', '164.314', '164.316'].map(count), [30, 12, 6, 5]);
});

test('says of every clause either which checks bear on it, or why none does', () => {
  for (const [file, { clauses }] of coverages) {
    assert.equal(new Set(clauses.map(({ clause }) => clause)).size, clauses.length, file);
    for (const { clause, checks: mapped, notApplicable } of clauses) {
      assert.equal((mapped?.length ?? 0) > 0, notApplicable === undefined, `${file}: ${clause}`);
      assert.ok(notApplicable === undefined || notApplicable.length > 10, `${file}: ${clause}`);
    }
  }
});

test('maps a clause to exactly the checks that cite it', () => {
  for (const [file, { standard, version, clauses }] of coverages) {
    for (const { clause, checks: mapped = [] } of clauses) {
      const citing = checks
        .filter(({ refs }) =>
          refs.some((ref) => ref.standard === standard && ref.version === version && ref.clause === clause),
        )
        .map(({ id }) => id);
      assert.deepEqual([...mapped], citing.sort(), `${file}: ${clause}`);
    }
  }
});

test('states for every clause of HIPAA whether it is a standard, required or addressable', () => {
  for (const file of ['hipaa-164.312.yaml', 'hipaa-other.yaml']) {
    for (const { clause, rule } of clausesOf(file)) assert.ok(rule !== undefined, clause);
  }
  const of = (clause: string): string | undefined =>
    clausesOf('hipaa-164.312.yaml').find((candidate) => candidate.clause === clause)?.rule;
  assert.equal(of('164.312(b)'), 'standard');
  assert.equal(of('164.312(a)(2)(i)'), 'required');
  assert.equal(of('164.312(a)(2)(iv)'), 'addressable');
  assert.equal(of('164.312(d)'), 'standard');
});

test('gives live evidence for every standard and specification of 164.312 in the default profile', () => {
  const node = profiles.find(({ name }) => name === 'node')?.checks ?? [];
  for (const { clause, checks: mapped = [] } of clausesOf('hipaa-164.312.yaml')) {
    const live = mapped.filter(
      (id) => node.includes(id) && checks.some((check) => check.id === id && check.mode === 'automated'),
    );
    assert.ok(live.length > 0, clause);
  }
});
