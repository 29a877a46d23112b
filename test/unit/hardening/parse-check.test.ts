import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCheck } from '../../../hardening/parse-check.ts';
import { parseProfile } from '../../../hardening/profile-rule.ts';
import { parseStandard, referencesOf } from '../../../hardening/standard.ts';

const automated = {
  id: 'BYON-CTR-900',
  title: 'The root file system is read-only',
  failure: 'the root file system is writable',
  target: 'container',
  severity: 'high',
  mode: 'automated',
  probe: { fact: 'container.readOnlyRoot' },
  expect: { op: 'is', value: true },
  rationale: 'Nobody can leave anything there.',
  remediation: { docker: 'read_only: true' },
  see: { any: 'docker inspect' },
  cites: { 'CIS Docker Benchmark': ['5.13'] },
};
const STANDARD = {
  standard: 'CIS Docker Benchmark',
  version: '1.6.0',
  clauses: [{ clause: '5.13', title: 'Read only' }],
};
const STANDARDS = referencesOf([STANDARD]);
const refs = [{ standard: 'CIS Docker Benchmark', version: '1.6.0', clause: '5.13', title: 'Read only' }];
const { probe, expect: _expect, failure: _failure, ...rest } = automated;
const manual = { ...rest, id: 'BYON-ORG-900', mode: 'manual' };

function problems(entry: unknown): readonly string[] {
  const parsed = parseCheck(entry, STANDARDS);
  return 'problems' in parsed ? parsed.problems : [];
}

const refused: readonly [string, object, RegExp][] = [
  ['an unknown fact', { probe: { fact: 'container.shoeSize' } }, /there is no fact container\.shoeSize/],
  ['a fact that every object has', { probe: { fact: 'toString' } }, /there is no fact toString/],
  ['an unknown operator', { expect: { op: 'resembles', value: true } }, /has no operator resembles/],
  ['an operator of another type', { expect: { op: 'at-least', value: 1 } }, /has no operator at-least/],
  ['a value of another type', { expect: { op: 'is', value: 'true' } }, /operator is does not take a text/],
  ['no value', { expect: { op: 'is' } }, /operator is does not take no value/],
  ['an unknown key of the expectation', { expect: { op: 'is', value: true, not: true } }, /expect/],
  ['an unknown key of the probe', { probe: { fact: 'container.uid', shell: 'id -u' } }, /probe/],
  ['a failure of two sentences', { failure: 'it is writable; and more' }, /failure/],
  ['an unknown key', { command: 'id -u' }, /additional|unevaluated|command/],
  ['an unknown target', { target: 'cloud' }, /target/],
  ['an unknown severity', { severity: 'severe' }, /severity/],
  ['an unknown mode', { mode: 'scripted' }, /mode/],
  ['an id of another form', { id: 'CTR-1' }, /id/],
  ['no clause', { cites: {} }, /cites/],
  ['a standard without a clause', { cites: { 'CIS Docker Benchmark': [] } }, /cites/],
  ['a clause twice', { cites: { 'CIS Docker Benchmark': ['5.13', '5.13'] } }, /cites/],
  ['a clause that YAML took for a number', { cites: { 'CIS Docker Benchmark': [5.13] } }, /cites/],
  ['a clause that the standard does not have', { cites: { 'CIS Docker Benchmark': ['5.99'] } }, /has no clause 5\.99/],
  ['an unknown standard', { cites: { toString: ['1'] } }, /toString has no clause 1/],
  ['its profiles as no list', { profiles: 'node' }, /profiles/],
  ['a remedy for an unknown platform', { remediation: { windows: 'not at all' } }, /remediation/],
  ['no remedy', { remediation: {} }, /remediation/],
  ['no way to see it', { see: {} }, /see/],
  ['an empty list of conditions', { where: [] }, /where/],
  [
    'a condition on an unknown fact',
    { where: [{ fact: 'container.name', op: 'is', value: true }] },
    /there is no fact/,
  ],
  [
    'a condition with an unknown operator',
    { where: [{ fact: 'container.role', op: 'is', value: true }] },
    /no operator is/,
  ],
  [
    'a condition on another kind of subject',
    { where: [{ fact: 'engine.swarm', op: 'is', value: true }] },
    /another kind of subject/,
  ],
  ['automated without a probe', { probe: undefined }, /needs probe, expect and failure/],
  ['automated without an expectation', { expect: undefined }, /needs probe, expect and failure/],
];

test('takes a check with and without conditions, and a manual one', () => {
  const where = [
    { fact: 'container.role', op: 'equals', value: 'store' },
    { fact: 'node.target', op: 'equals', value: 'docker' },
  ];
  const { cites: _, ...own } = automated;
  assert.deepEqual(parseCheck(automated, STANDARDS), { value: { check: { ...own, where: [], refs }, profiles: [] } });
  const parsed = parseCheck({ ...automated, where, profiles: ['node'] }, STANDARDS);
  assert.ok('value' in parsed && parsed.value.check.mode === 'automated');
  assert.deepEqual(parsed.value.check.where[1], { fact: 'node.target', expect: { op: 'equals', value: 'docker' } });
  assert.deepEqual(parsed.value.profiles, ['node']);
  const { cites: __, ...byHand } = manual;
  assert.deepEqual(parseCheck(manual, STANDARDS), { value: { check: { ...byHand, refs }, profiles: [] } });
});

for (const [what, change, message] of refused) {
  test(`refuses ${what}`, () => {
    const entry = Object.fromEntries(
      Object.entries({ ...automated, ...change }).filter(([, value]) => value !== undefined),
    );
    assert.match(problems(entry).join('\n'), message);
  });
}

test('refuses a manual check that carries a probe, an expectation or conditions', () => {
  assert.match(problems({ ...manual, probe }).join(), /carries no probe/);
  assert.match(problems({ ...manual, expect: { op: 'is', value: true } }).join(), /carries no expect/);
  assert.match(
    problems({ ...manual, where: [{ fact: 'node.ready', op: 'is', value: true }] }).join(),
    /carries no where/,
  );
});

test('names the check in each of its problems, and all problems at once', () => {
  const found = problems({ ...automated, probe: { fact: 'a' }, where: [{ fact: 'b', op: 'is', value: true }] });
  assert.equal(found.length, 2);
  for (const problem of found) assert.match(problem, /^BYON-CTR-900: /);
});

test('never throws, whatever an entry is', () => {
  fc.assert(
    fc.property(fc.anything(), (entry) => {
      assert.ok('problems' in parseCheck(entry, STANDARDS));
      assert.ok('problems' in parseStandard(entry));
      assert.ok('problems' in parseProfile(entry));
    }),
  );
});

test('a check that lacks or doubles any one key is refused', () => {
  for (const key of Object.keys(automated)) {
    assert.notDeepEqual(problems({ ...automated, [key]: undefined }), [], key);
    assert.notDeepEqual(problems({ ...automated, [`${key}s`]: 1 }), [], key);
  }
});

test('refuses a profile with an unknown key, threshold or rule', () => {
  const profile = {
    name: 'site',
    title: 'Ours',
    about: 'What we look at.',
    threshold: 'low',
    checks: ['named'],
  };
  for (const rule of [
    'all',
    { cites: 'HIPAA Security Rule' },
    { severity: 'critical' },
    { area: 'HST' },
    { profile: 'node' },
  ]) {
    const checks = ['named', rule];
    assert.deepEqual(parseProfile({ ...profile, checks }), { value: { ...profile, checks } });
  }
  for (const change of [
    { thresholds: 'low' },
    { threshold: 'none' },
    { checks: ['all', 'all'] },
    { checks: [] },
    { checks: 'all' },
    { checks: ['most'] },
    { checks: ['BYON-CTR-900'] },
    { checks: [{ cites: 'HIPAA', but: 'x' }] },
    { checks: [{ severity: 'severe' }] },
    { name: 'A b' },
  ]) {
    assert.ok('problems' in parseProfile({ ...profile, ...change }), JSON.stringify(change));
  }
});
