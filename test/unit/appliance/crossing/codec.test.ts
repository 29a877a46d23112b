import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage, reviveMessage } from '../../../../appliance/crossing/codec.ts';

const roundTrip = (value: unknown): unknown => reviveMessage(JSON.parse(encodeMessage(value).toString('utf8')));

test('bytes and bigints come back as they were, deep inside too', () => {
  const value = { a: [1n, -(2n ** 200n)], b: { c: Uint8Array.of(0, 255), d: Buffer.from('x') }, e: new Uint8Array(0) };
  assert.deepEqual(roundTrip(value), {
    a: [1n, -(2n ** 200n)],
    b: { c: Uint8Array.of(0, 255), d: Uint8Array.from(Buffer.from('x')) },
    e: new Uint8Array(0),
  });
});

test('any JSON comes back as it was, also what looks like a tag', () => {
  const key = fc.oneof(fc.constantFrom('$bytes', '$bigint', '$', '$$', '$$bytes', '__proto__'), fc.string());
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(key, tie('json'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(json, (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(roundTrip(plain), plain);
    }),
  );
});

test('undefined members are absent, and undefined itself is null', () => {
  assert.deepEqual(roundTrip({ a: undefined, b: 1 }), { b: 1 });
  assert.equal(roundTrip(undefined), null);
});
