import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { padmeLength } from '../../../../protocol/coding/padme.ts';

test('pads as the definition does: E = floor(log2 L), S = floor(log2 E) + 1, the last E - S bits are zero', () => {
  const known = [
    [0, 0],
    [1, 1],
    [2, 2],
    [7, 7],
    [8, 8],
    [9, 10],
    [64, 64],
    [65, 72],
    [1000, 1024],
    [65_537, 67_584],
    [1_000_000, 1_015_808],
  ];
  for (const [length = 0, padded = 0] of known) assert.equal(padmeLength(length), padded, `${length}`);
});

test('adds at most 12 %, under 3.2 % from 64 KiB on, never less, and has few lengths', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 2 ** 40 }), (length) => {
      const padded = padmeLength(length);
      assert.ok(padded >= length);
      assert.ok(padded - length <= length * (length >= 64 * 1024 ? 0.032 : 0.12), `${length} to ${padded}`);
      assert.equal(padmeLength(padded), padded);
    }),
    { seed: 1, numRuns: 2000 },
  );
  const lengths = new Set(Array.from({ length: 2 ** 16 }, (_, i) => padmeLength(2 ** 16 + i)));
  assert.ok(lengths.size <= 33, `${lengths.size} lengths from 64 to 128 KiB`);
});

test('refuses what is no length', () => {
  for (const length of [-1, 1.5, Number.NaN, 2 ** 48]) assert.throws(() => padmeLength(length), RangeError);
});
