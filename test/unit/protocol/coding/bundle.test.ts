import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BUNDLE_BYTES, MAX_BUNDLED_BYTES, packBundles, writeBundle } from '../../../../protocol/coding/bundle.ts';
import { seededRandom } from '../../../../protocol/storage/seeded-random.ts';
import { bytesOf } from '../../coding/coding-fixture.ts';

test('packs every blob once, none over another, and leaves little room', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: MAX_BUNDLED_BYTES }), { maxLength: 120 });
  fc.assert(
    fc.property(lengths, fc.string(), (list, seed) => {
      const bundles = packBundles(list, seededRandom(seed).below);
      const blobs = bundles.flatMap(({ blobs }) => blobs.map(({ blob }) => blob));
      assert.deepEqual(
        blobs.toSorted((a, b) => a - b),
        [...list.keys()],
      );
      for (const { blobs, used } of bundles) {
        let at = 0;
        for (const { blob, offset, length } of blobs) {
          assert.deepEqual([offset, length], [at, list[blob]]);
          at += length;
        }
        assert.equal(at, used);
        assert.ok(used <= BUNDLE_BYTES);
      }
      // First fit: all but one bundle are full but for less than the largest blob.
      assert.ok(bundles.filter(({ used }) => used < BUNDLE_BYTES - MAX_BUNDLED_BYTES).length <= 1);
    }),
    { seed: 2, numRuns: 100 },
  );
});

test('puts blobs in random order: each is first about as often', () => {
  const { below } = seededRandom('order');
  const first = Array.from({ length: 5 }, () => 0);
  for (let turn = 0; turn < 5000; turn++) {
    const blob = packBundles([10, 10, 10, 10, 10], below)[0]?.blobs[0]?.blob ?? 0;
    first[blob] = (first[blob] ?? 0) + 1;
  }
  for (const count of first) assert.ok(count > 850 && count < 1150, `${first}`);
});

test('writes blobs where it says, and random bytes into the rest', () => {
  const blobs = [bytesOf('a', 1000), bytesOf('b', 70)];
  const [bundle] = packBundles(
    blobs.map(({ length }) => length),
    seededRandom('write').below,
  );
  assert.ok(bundle);
  const fill = bytesOf('fill', BUNDLE_BYTES);
  const bytes = writeBundle(bundle, (blob) => blobs[blob] ?? new Uint8Array(0), fill);
  for (const { blob, offset, length } of bundle.blobs)
    assert.deepEqual(bytes.subarray(offset, offset + length), blobs[blob]);
  assert.deepEqual(bytes.subarray(bundle.used), fill.subarray(0, BUNDLE_BYTES - bundle.used));
  assert.throws(() => writeBundle(bundle, () => new Uint8Array(1), fill), { code: 'CODING_INPUT_INVALID' });
  assert.throws(() => writeBundle(bundle, (blob) => blobs[blob] as Uint8Array, fill.subarray(0, 10)), {
    code: 'CODING_INPUT_INVALID',
  });
});

test('refuses blobs that are not bundled', () => {
  for (const length of [0, -1, 1.5, MAX_BUNDLED_BYTES + 1])
    assert.throws(() => packBundles([length], () => 0), { code: 'CODING_INPUT_INVALID' });
});
