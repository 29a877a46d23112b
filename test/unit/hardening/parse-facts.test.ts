import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_SET_SIZE, MAX_TEXT_LENGTH } from '../../../hardening/fact-type.ts';
import { MAX_FACTS_BYTES, parseFactSet } from '../../../hardening/parse-facts.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { factSet, subjectOf, values } from './fixture-facts.ts';

const sample = factSet([
  subjectOf('node', 'node', values({ 'node.target': 'docker', 'node.ready': true })),
  subjectOf('container', 'a', {
    ...values({ 'container.uid': 64001, 'container.networks': ['lan'] }),
    'container.role': { error: 'no label' },
    'container.health': { absent: 'it has no check' },
  }),
]);

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function problemOf(given: Uint8Array): string {
  try {
    parseFactSet(given, 'facts.json');
  } catch (error) {
    assert.ok(isNectarError(error, 'HARDENING_FACTS_INVALID'));
    return (error.data as { problems: readonly string[] }).problems.join('\n');
  }
  return '';
}

const withFacts = (facts: object): unknown => ({ ...sample, subjects: [{ kind: 'container', name: 'a', facts }] });
const withCollection = (rest: object): unknown => ({ ...sample, collections: [{ ...sample.collections[0], ...rest }] });

test('facts that were saved come back as they were', () => {
  assert.deepEqual(parseFactSet(bytes(sample), 'facts.json'), sample);
});

const refused: readonly [string, unknown, RegExp][] = [
  ['another format', { ...sample, format: 'nectar-byon-facts/2' }, /format/],
  ['an unknown key', { ...sample, verdicts: [] }, /additional|unevaluated/],
  ['a time that is none', { ...sample, collectedAt: 'yesterday' }, /collectedAt/],
  ['a time that is not UTC', { ...sample, collectedAt: '2026-11-23T09:00:00+02:00' }, /collectedAt/],
  ['an unknown kind', { ...sample, subjects: [{ kind: 'cloud', name: 'a', facts: {} }] }, /kind/],
  ['an unknown fact', withFacts({ 'container.shoeSize': { value: 1 } }), /there is no fact container\.shoeSize/],
  ['a fact of another kind', withFacts({ 'image.user': { value: 'x' } }), /is no fact of a container/],
  ['a value of another type', withFacts({ 'container.uid': { value: '0' } }), /is not of type integer/],
  ['a number that is no integer', withFacts({ 'container.uid': { value: 0.5 } }), /is not of type integer/],
  ['a set with a value twice', withFacts({ 'container.networks': { value: ['a', 'a'] } }), /is not of type set/],
  [
    'too large a set',
    withFacts({ 'container.networks': { value: Array.from({ length: MAX_SET_SIZE + 1 }, String) } }),
    /not of type/,
  ],
  ['too long a text', withFacts({ 'container.role': { value: 'x'.repeat(MAX_TEXT_LENGTH + 1) } }), /not of type text/],
  ['a value and an error at once', withFacts({ 'container.uid': { value: 1, error: 'x' } }), /container\.uid/],
  ['an observation of nothing', withFacts({ 'container.uid': {} }), /container\.uid/],
  ['a bare value', withFacts({ 'container.uid': 1 }), /container\.uid/],
  ['a subject twice', { ...sample, subjects: [...sample.subjects, sample.subjects[1]] }, /occurs twice/],
  [
    'a second node',
    { ...sample, subjects: [...sample.subjects, subjectOf('node', 'other', {})] },
    /more than one node/,
  ],
  [
    'a collector that adds an unknown fact',
    withCollection({ adds: ['node.shoeSize'] }),
    /there is no fact node\.shoeSize/,
  ],
  ['a failure without a reason', withCollection({ outcome: 'failed' }), /failed without a reason/],
  ['an unknown outcome', withCollection({ outcome: 'skipped' }), /outcome/],
  ['no object', [sample], /object/],
];
for (const [what, value, message] of refused) {
  test(`refuses ${what}`, () => assert.match(problemOf(bytes(value)), message));
}

test('refuses what is too long before it reads it, and what is not JSON in UTF-8', () => {
  assert.match(problemOf(new Uint8Array(MAX_FACTS_BYTES + 1)), /longer than/);
  assert.match(problemOf(new TextEncoder().encode('{')), /not JSON/);
  assert.match(problemOf(Uint8Array.of(0x22, 0xff, 0x22)), /not JSON/);
});

test('a key that every object has is no fact', () => {
  const hostile = '{"kind":"container","name":"a","facts":{"__proto__":{"value":true},"constructor":{"value":true}}}';
  const given = JSON.stringify({ ...sample, subjects: ['HERE'] }).replace('"HERE"', hostile);
  assert.match(problemOf(new TextEncoder().encode(given)), /there is no fact __proto__/);
});

test('any JSON is either facts or one typed error', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void problemOf(bytes(value))));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (value) => void problemOf(value)));
});
