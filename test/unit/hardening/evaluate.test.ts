import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AutomatedCheck, Check } from '../../../hardening/check.ts';
import { evaluate } from '../../../hardening/evaluate.ts';
import type { Collection, FactSet, Observation } from '../../../hardening/fact-set.ts';
import type { FactId } from '../../../hardening/facts/index.ts';
import type { Finding, Waiver } from '../../../hardening/finding.ts';
import { factSet, subjectOf, values } from './fixture-facts.ts';

const base = {
  title: 'A check of a test',
  target: 'container',
  severity: 'high',
  rationale: 'It is a test.',
  remediation: { any: 'nothing' },
  see: { any: 'nothing' },
  refs: [{ standard: 'none', version: '1', clause: '1', title: 'none' }],
} as const;
const readOnly: AutomatedCheck = {
  ...base,
  failure: 'the check of a test fails',
  ...{ id: 'BYON-CTR-900', mode: 'automated', probe: { fact: 'container.readOnlyRoot' }, where: [] },
  expect: { op: 'is', value: true },
};
const ofStore: AutomatedCheck = {
  ...readOnly,
  where: [
    { fact: 'container.role', expect: { op: 'equals', value: 'store' } },
    { fact: 'node.target', expect: { op: 'equals', value: 'docker' } },
  ],
};
const manual: Check = { ...base, id: 'BYON-ORG-900', mode: 'manual' };

type Facts = Readonly<Partial<Record<FactId, Observation>>>;
const box = (name: string, facts: Facts) => subjectOf('container', name, facts);
const good: Facts = values({ 'container.readOnlyRoot': true });
const bad: Facts = values({ 'container.readOnlyRoot': false });
const unseen: Facts = { 'container.readOnlyRoot': { error: 'permission denied' } };
const none: Facts = { 'container.readOnlyRoot': { absent: 'it has no root file system' } };

function judge(check: Check, facts: FactSet, waivers: readonly Waiver[] = []): Finding {
  const [finding] = evaluate([check], facts, waivers);
  assert.ok(finding);
  return finding;
}

const collection = (rest: Partial<Collection>): Collection => ({
  ...{ collector: 'containers', kinds: ['container'], adds: [], privilege: 'the socket', outcome: 'collected' },
  ...rest,
});

test('passes when every subject is as expected, with each as evidence', () => {
  const finding = judge(readOnly, factSet([box('a', good), box('b', good)]));
  assert.equal(finding.verdict, 'pass');
  assert.deepEqual(finding.evidence, [
    { subject: 'a', observed: true, holds: true },
    { subject: 'b', observed: true, holds: true },
  ]);
});

test('fails when one subject is not, also when another could not be seen', () => {
  assert.equal(judge(readOnly, factSet([box('a', good), box('b', bad)])).verdict, 'fail');
  assert.equal(judge(readOnly, factSet([box('a', unseen), box('b', bad)])).verdict, 'fail');
});

test('says error and the reason for what could not be seen', () => {
  const finding = judge(readOnly, factSet([box('a', good), box('b', unseen)]));
  assert.equal(finding.verdict, 'error');
  assert.deepEqual(finding.evidence[1], { subject: 'b', error: 'permission denied', holds: false });
});

test('says error for a fact that nobody looked for', () => {
  const finding = judge(readOnly, factSet([box('a', {})]));
  assert.equal(finding.verdict, 'error');
  assert.match(finding.evidence[0]?.error ?? '', /container\.readOnlyRoot was not looked for/);
});

test('says error when nobody looked at that kind at all', () => {
  const finding = judge(readOnly, factSet([subjectOf('node', 'node', {})]));
  assert.deepEqual([finding.verdict, finding.reason], ['error', 'nobody looked at any container']);
});

test('says error when the collector of a kind failed, whatever others saw of it', () => {
  const collections = [collection({}), collection({ collector: 'more', outcome: 'failed', reason: 'no socket' })];
  const finding = judge(readOnly, factSet([box('a', good)], { collections }));
  assert.deepEqual([finding.verdict, finding.reason], ['error', 'more: no socket']);
});

test('says error, with the reason, when the collector that adds the fact failed', () => {
  const adder = collection({
    collector: 'files',
    kinds: [],
    adds: ['container.readOnlyRoot'],
    outcome: 'failed',
    reason: 'gone',
  });
  const finding = judge(readOnly, factSet([box('a', {})], { collections: [collection({}), adder] }));
  assert.deepEqual([finding.verdict, finding.evidence[0]?.error], ['error', 'files: gone']);
});

test('is not applicable where the target has none of the kind, or the fact has nothing to be seen', () => {
  const away = [collection({ outcome: 'not-applicable', reason: 'a process has no containers' })];
  assert.deepEqual(
    [
      judge(readOnly, factSet([], { collections: away })).verdict,
      judge(readOnly, factSet([], { collections: away })).reason,
    ],
    ['not-applicable', 'a process has no containers'],
  );
  const empty = judge(readOnly, factSet([], { collections: [collection({})] }));
  assert.deepEqual([empty.verdict, empty.reason], ['not-applicable', 'there is no container here']);
  assert.deepEqual(judge(readOnly, factSet([box('a', none)])).reason, 'it has no root file system');
  const adder = collection({
    kinds: [],
    adds: ['container.readOnlyRoot'],
    outcome: 'not-applicable',
    reason: 'not in Kubernetes',
  });
  assert.equal(
    judge(readOnly, factSet([box('a', {})], { collections: [collection({}), adder] })).verdict,
    'not-applicable',
  );
});

test('judges only subjects that meet its conditions, of their own facts and of the node', () => {
  const node = subjectOf('node', 'node', values({ 'node.target': 'docker' }));
  const store = { ...good, ...values({ 'container.role': 'store' }) };
  const gateway = { ...bad, ...values({ 'container.role': 'gateway' }) };
  const finding = judge(ofStore, factSet([node, box('a', store), box('b', gateway)]));
  assert.deepEqual([finding.verdict, finding.evidence.map(({ subject }) => subject)], ['pass', ['a']]);
  const other = judge(ofStore, factSet([node, box('b', gateway)]));
  assert.match(other.reason ?? '', /meets its conditions \(container\.role, node\.target\)/);
});

test('a condition that could not be seen is an error, unless another was seen not to hold', () => {
  const role: Facts = { ...good, 'container.role': { error: 'no label' } };
  const node = (target: string) => subjectOf('node', 'node', values({ 'node.target': target }));
  assert.equal(judge(ofStore, factSet([node('docker'), box('a', role)])).verdict, 'error');
  assert.equal(judge(ofStore, factSet([node('process'), box('a', role)])).verdict, 'not-applicable');
});

test('a manual check is manual, with nothing seen', () => {
  assert.deepEqual(judge(manual, factSet([])), { check: manual.id, verdict: 'manual', evidence: [] });
});

const waiver = (rest: Partial<Waiver> = {}): Waiver => ({
  ...{ check: readOnly.id, owner: 'Dr. Meier', reason: 'until the new server', until: '2026-11-23' },
  ...{ since: '2026-11-01T00:00:00Z', ...rest },
});

test('a waiver turns a failure into waived, through the whole of its last day', () => {
  const failing = (collectedAt: string): FactSet => factSet([box('a', bad)], { collectedAt });
  assert.equal(judge(readOnly, failing('2026-11-23T23:59:59.999Z'), [waiver()]).verdict, 'waived');
  const after = judge(readOnly, failing('2026-11-24T00:00:00.000Z'), [waiver()]);
  assert.deepEqual([after.verdict, after.waiver], ['fail', waiver()]);
});

test('a waiver does not count before it was made, to the second, however its time is written', () => {
  const failing = factSet([box('a', bad)], { collectedAt: '2026-11-23T09:00:00.000Z' });
  assert.equal(judge(readOnly, failing, [waiver({ since: '2026-11-23T09:00:00Z' })]).verdict, 'waived');
  const early = judge(readOnly, failing, [waiver({ since: '2026-11-23T09:00:01Z' })]);
  assert.deepEqual([early.verdict, early.waiver], ['fail', undefined]);
});

test('a waiver of another check, and of what passes or could not be seen, changes nothing', () => {
  assert.equal(judge(readOnly, factSet([box('a', bad)]), [waiver({ check: 'BYON-CTR-901' })]).verdict, 'fail');
  assert.equal(judge(readOnly, factSet([box('a', good)]), [waiver()]).verdict, 'pass');
  assert.equal(judge(readOnly, factSet([box('a', unseen)]), [waiver()]).verdict, 'error');
  assert.equal(judge(manual, factSet([]), [waiver({ check: manual.id })]).verdict, 'manual');
});

const anyObservation: fc.Arbitrary<Facts> = fc.constantFrom(good, bad, unseen, none, {});
const anyFacts = fc
  .tuple(
    fc.array(anyObservation, { maxLength: 4 }),
    fc.constantFrom<Collection['outcome']>('collected', 'failed', 'not-applicable'),
  )
  .map(([each, outcome]) =>
    factSet(
      each.map((facts, index) => box(`box ${index}`, facts)),
      { collections: [collection(outcome === 'collected' ? {} : { outcome, reason: 'a reason' })] },
    ),
  );

test('is the same every time, and changes nothing that it was given', () => {
  fc.assert(
    fc.property(anyFacts, fc.boolean(), (facts, waived) => {
      const before = structuredClone(facts);
      const waivers = waived ? [waiver()] : [];
      const first = evaluate([readOnly, ofStore, manual], facts, waivers);
      assert.deepEqual(evaluate([readOnly, ofStore, manual], facts, waivers), first);
      assert.deepEqual(facts, before);
    }),
  );
});

test('what could not be seen never becomes a pass, and a waiver never touches it', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { verdict } = judge(readOnly, facts);
      const blind = facts.subjects.some(({ facts: own }) => own === unseen || Object.keys(own).length === 0);
      const failed = facts.collections.some(({ outcome }) => outcome === 'failed');
      if (blind || failed) assert.notEqual(verdict, 'pass');
      if (verdict === 'pass') assert.ok(facts.subjects.some(({ facts: own }) => own === good));
      const after = judge(readOnly, facts, [waiver()]).verdict;
      assert.equal(after, verdict === 'fail' ? 'waived' : verdict);
    }),
  );
});

test('seeing less never makes a failure, or an error, into a pass', () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(), (facts, at) => {
      const { verdict } = judge(readOnly, facts);
      const subjects = facts.subjects.map((subject, index) =>
        index === at % Math.max(facts.subjects.length, 1) ? { ...subject, facts: unseen } : subject,
      );
      if (subjects.length === 0 || verdict === 'pass') return;
      assert.notEqual(judge(readOnly, { ...facts, subjects }).verdict, 'pass');
    }),
  );
});
