import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AutomatedCheck } from '../../../hardening/check.ts';
import { evaluate } from '../../../hardening/evaluate.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { FACTS, factKind } from '../../../hardening/facts/index.ts';
import type { Verdict } from '../../../hardening/finding.ts';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { parseFactSet } from '../../../hardening/parse-facts.ts';
import type { SubjectKind } from '../../../hardening/subject.ts';
import { type Fixture, factSet, factsOf, readFixtures, subjectOf } from './fixture-facts.ts';

/** Of these there is never more than one. */
const ALONE: readonly SubjectKind[] = ['node', 'host', 'engine', 'cluster'];
const automated = loadBenchmark().checks.filter((check): check is AutomatedCheck => check.mode === 'automated');
const fixtures = new Map(readFixtures().map((fixture) => [fixture.check, fixture]));

function verdict(check: AutomatedCheck, facts: FactSet): Verdict | undefined {
  // Through the parser, as facts that were saved: a fixture must be a value that could have been collected.
  const saved = parseFactSet(new TextEncoder().encode(JSON.stringify(facts)), 'fixture');
  return evaluate([check], saved)[0]?.verdict;
}

function fixtureOf({ id }: AutomatedCheck): Fixture {
  const fixture = fixtures.get(id);
  assert.ok(fixture, `${id} has no fixture`);
  return fixture;
}

test('gives every automated check one fixture, and no fixture to anything else', () => {
  assert.equal(readFixtures().length, fixtures.size);
  assert.deepEqual([...fixtures.keys()].sort(), automated.map(({ id }) => id).sort());
});

test('passes with the passing facts of every check, and fails with the failing ones', () => {
  for (const check of automated) {
    const { given = {}, pass, fail } = fixtureOf(check);
    const kind = factKind(check.probe.fact);
    assert.deepEqual(Object.keys(pass), [check.probe.fact], check.id);
    assert.deepEqual(Object.keys(fail), [check.probe.fact], check.id);
    assert.equal(verdict(check, factsOf(kind, [{ ...given, ...pass }])), 'pass', check.id);
    assert.equal(verdict(check, factsOf(kind, [{ ...given, ...fail }])), 'fail', check.id);
  }
});

test('fails when one of several subjects does', () => {
  for (const check of automated) {
    const kind = factKind(check.probe.fact);
    if (ALONE.includes(kind)) continue;
    const { given = {}, pass, fail } = fixtureOf(check);
    const each = [pass, fail, pass].map((facts) => ({ ...given, ...facts }));
    assert.equal(verdict(check, factsOf(kind, each)), 'fail', check.id);
  }
});

test('is an error, never a pass, where the fact was not looked for or could not be seen', () => {
  for (const check of automated) {
    const { given = {} } = fixtureOf(check);
    const { fact } = check.probe;
    const kind = factKind(fact);
    assert.equal(verdict(check, factsOf(kind, [given])), 'error', check.id);
    const conditions =
      kind === 'node' ? [] : factsOf(kind, [given]).subjects.filter((subject) => subject.kind === 'node');
    const own = factsOf(kind, [given]).subjects.find((subject) => subject.kind === kind)?.facts;
    const unseen = subjectOf(kind, 'unseen', { ...own, [fact]: { error: 'permission denied' } });
    assert.equal(verdict(check, factSet([...conditions, unseen])), 'error', check.id);
  }
});

test('is an error where one of several subjects could not be seen and the others are well', () => {
  for (const check of automated) {
    const kind = factKind(check.probe.fact);
    if (ALONE.includes(kind)) continue;
    const { given = {}, pass } = fixtureOf(check);
    const seen = factsOf(kind, [{ ...given, ...pass }]);
    const own = seen.subjects.find((subject) => subject.kind === kind)?.facts;
    const unseen = subjectOf(kind, 'unseen', { ...own, [check.probe.fact]: { error: 'gone' } });
    assert.equal(verdict(check, factSet([...seen.subjects, unseen])), 'error', check.id);
  }
});

test('never passes while any one fact that it reads was not seen', () => {
  for (const check of automated) {
    const kind = factKind(check.probe.fact);
    const { given = {}, pass } = fixtureOf(check);
    const facts = { ...given, ...pass };
    for (const unseen of new Set([check.probe.fact, ...check.where.map(({ fact }) => fact)])) {
      const { subjects, ...rest } = factsOf(kind, [facts]);
      const blind = subjects.map((subject) =>
        unseen in subject.facts
          ? { ...subject, facts: { ...subject.facts, [unseen]: { error: 'permission denied' } } }
          : subject,
      );
      assert.equal(verdict(check, { ...rest, subjects: blind }), 'error', `${check.id} without ${unseen}`);
    }
  }
});

test('never passes with a value that says that nobody knows', () => {
  const unknowing = automated.filter(({ probe }) => /\bunknown\b/.test(FACTS[probe.fact].about));
  assert.ok(unknowing.length > 0);
  for (const check of unknowing) {
    const { given = {} } = fixtureOf(check);
    const facts = { ...given, [check.probe.fact]: 'unknown' };
    assert.notEqual(verdict(check, factsOf(factKind(check.probe.fact), [facts])), 'pass', check.id);
  }
});

test('is an error where a condition could not be seen', () => {
  for (const check of automated) {
    // What is asked of the probed fact itself is seen where the probe is.
    if (check.where.every(({ fact }) => fact === check.probe.fact)) continue;
    const kind = factKind(check.probe.fact);
    const { pass } = fixtureOf(check);
    assert.equal(verdict(check, factsOf(kind, [pass])), 'error', check.id);
  }
});

test('is not applicable to what its conditions leave out', () => {
  for (const check of automated) {
    const { elsewhere, fail } = fixtureOf(check);
    assert.equal(check.where.length > 0, elsewhere !== undefined, check.id);
    if (elsewhere === undefined) continue;
    const facts = factsOf(factKind(check.probe.fact), [{ ...fail, ...elsewhere }]);
    assert.equal(verdict(check, facts), 'not-applicable', check.id);
  }
});

test('is not applicable where there is no such thing to be seen', () => {
  for (const check of automated) {
    const { given = {} } = fixtureOf(check);
    const kind = factKind(check.probe.fact);
    const own = factsOf(kind, [given]).subjects.find((subject) => subject.kind === kind)?.facts ?? {};
    const node = factsOf(kind, [given]).subjects.filter((subject) => kind !== 'node' && subject.kind === 'node');
    const none = subjectOf(kind, 'none', { ...own, [check.probe.fact]: { absent: 'there is none' } });
    assert.equal(verdict(check, factSet([...node, none])), 'not-applicable', check.id);
  }
});
