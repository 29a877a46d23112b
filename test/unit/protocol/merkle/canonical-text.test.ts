import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import { canonicalText, isInOrder } from '../../../../protocol/merkle/canonical-text.ts';

const nested = (depth: number): object => {
  let value: object = { b: 1, a: 2 };
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { z: value, a: null } : [value];
  return value;
};

const VALUES: Readonly<Record<string, object>> = {
  'names out of order': { b: 1, a: { d: [3, { f: 1, e: 2 }], c: 'x' }, '': 0, B: true },
  'names by UTF-16 code units, not code points': { '\u{1f600}': 1, '\ufb33': 2, é: 3, e: 4 },
  'names that are integers': { 10: 'a', 9: 'b', 1: 'c', a: 'd', '-1': 'e', '01': 'f' },
  'a name that is the prototype': JSON.parse('{"b":1,"__proto__":{"c":2},"a":3}') as object,
  'numbers as ECMAScript writes them': [0, -0, 1e21, 1e-7, 4.5, 333333333.3333333, 2 ** 53],
  'controls, quotes and line separators': { text: '\u0000\u0007\b\n\r\t"\\\u007f\u2028/<' },
  'text that looks like an escaped surrogate': { text: 'a\\ud800b', '\\udfff': 1 },
  'members without a value': { a: undefined, b: () => 1, c: [undefined, Symbol('x')] },
  'what says itself how it is written': { at: new Date(0), other: { toJSON: () => ({ b: 1, a: 2 }) } },
  'boxed values': { n: Object(1), s: Object('x') },
  'an object without a prototype': Object.assign(Object.create(null), { b: 1, a: 2 }) as object,
  'a deep value': nested(100),
  'an empty list': [],
};

/** The same with names in order, as they come out of canonical JSON. */
const inOrder = (value: object): object => JSON.parse(canonicalize(value) ?? '') as object;

for (const [what, value] of Object.entries(VALUES)) {
  test(`${what}: the same text as the library's`, () => {
    assert.equal(canonicalText(value), canonicalize(value));
    assert.equal(canonicalText(inOrder(value)), canonicalize(value));
  });
}

test('refuses what has no canonical form: lone surrogates, in names too, and numbers that are none', () => {
  for (const value of [{ a: '\ud800' }, { a: ['x\udfff'] }, { '\ud800': 1 }, { a: Number.NaN }, { a: [Infinity] }])
    assert.throws(() => canonicalText(value));
});

test('leaves the value as it is', () => {
  const value = Object.freeze({ b: Object.freeze([1]), a: 2 });
  assert.equal(canonicalText(value), '{"a":2,"b":[1]}');
  assert.deepEqual(Object.keys(value), ['b', 'a']);
});

test('tells names in order from others, at any depth', () => {
  assert.equal(isInOrder({ a: 1, b: [{ c: 1, d: 2 }] }), true);
  assert.equal(isInOrder({ a: 1, b: [{ d: 1, c: 2 }] }), false);
  assert.equal(isInOrder({ 1: 'a', 10: 'b', 9: 'c' }), false);
});
