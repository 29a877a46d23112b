import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SegmentToRead } from '../../../coding/host/segment-coder.ts';
import { type Segment, segmentsOf } from '../../../protocol/coding/segment.ts';
import { STORAGE_CLASSES, type StorageClass } from '../../../protocol/coding/storage-class.ts';
import { bytesOf, keys, segmentCoder } from './coding-fixture.ts';

const { small, standard } = STORAGE_CLASSES;

function stored(length: number, storageClass: StorageClass) {
  const [segment] = segmentsOf(length, storageClass) as [Segment];
  const bytes = bytesOf(`segment ${length}`, length);
  const shards = segmentCoder.encode(bytes, { segment, storageClass }, keys);
  const of: SegmentToRead = {
    segment,
    storageClass,
    shards: shards.map((shard) => shard.bytes),
    roots: shards.map(({ root }) => root),
  };
  const padded = new Uint8Array(segment.length);
  padded.set(bytes);
  return { of, padded, shards };
}

const without = (of: SegmentToRead, lost: readonly number[]): SegmentToRead => ({
  ...of,
  shards: of.shards.map((shard, index) => (lost.includes(index) ? undefined : shard)),
});

test('reads a segment of any length from any k shards', () => {
  const arbitrary = fc.record({
    length: fc.integer({ min: 1, max: 30_000 }),
    kept: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ length, kept }) => {
      const { of, padded } = stored(length, small);
      const lost = [0, 1, 2, 3, 4].filter((index) => !kept.includes(index));
      assert.deepEqual(segmentCoder.read(without(of, lost), keys), { bytes: padded, wrong: [] });
    }),
    { numRuns: 60, seed: 3 },
  );
});

test('catches a shard with one wrong bit by R before decoding, names it, and reads from others', () => {
  const { of, padded } = stored(5000, small);
  fc.assert(
    fc.property(fc.nat(of.segment.shardBytes * 8 - 1), fc.nat(3), (bit, index) => {
      const shards = of.shards.map((shard) => shard?.slice());
      const damaged = shards[index] as Uint8Array;
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // Shards are taken by index: the damaged one comes before the two right ones are together.
      const lost = [0, 1, 2].filter((other) => other < index && !(index === 3 && other === 0));
      assert.deepEqual(segmentCoder.read(without({ ...of, shards }, lost), keys), { bytes: padded, wrong: [index] });
    }),
    { numRuns: 60, seed: 4 },
  );
});

test('names every wrong shard that it came to, and says when too few are left', () => {
  const { of } = stored(5000, small);
  const shards = of.shards.map((shard, index) => (index < 3 ? new Uint8Array(shard?.length ?? 0) : shard));
  assert.deepEqual(segmentCoder.read({ ...of, shards }, keys).wrong, [0, 1, 2]);
  const two = of.shards.map((shard, index) => (index < 4 ? new Uint8Array(256) : shard));
  assert.throws(() => segmentCoder.read({ ...of, shards: two }, keys), {
    code: 'CODING_SHARDS_TOO_FEW',
    data: { needed: 2, present: 1 },
  });
});

test('repairs lost shards byte for byte, those of the data and the others', () => {
  const { of, shards } = stored(100_000, standard);
  const lost = [0, 3, 9, 10, 15, 19];
  const repaired = segmentCoder.repair(without(of, lost), lost, keys);
  assert.deepEqual(
    repaired,
    lost.map((index) => shards[index]),
  );
});

test('whitens: shards of zeros have nothing in common, and none is its coded bytes', () => {
  const storageClass = small;
  const [segment] = segmentsOf(4096, storageClass) as [Segment];
  const shards = segmentCoder.encode(new Uint8Array(4096), { segment, storageClass }, keys);
  const leaves = shards.flatMap(({ bytes }) =>
    Array.from({ length: bytes.length / 16 }, (_, i) =>
      Buffer.from(bytes.subarray(i * 16, i * 16 + 16)).toString('hex'),
    ),
  );
  assert.equal(new Set(leaves).size, leaves.length);
  assert.ok(!leaves.includes('0'.repeat(32)));
  const other = segmentCoder.encode(
    new Uint8Array(4096),
    { segment, storageClass },
    { ...keys, segmentId: new Uint8Array(32).fill(9) },
  );
  assert.notDeepEqual(other[0]?.root, shards[0]?.root);
});

test('leaves the shards that it is given as they are', () => {
  const { of } = stored(5000, small);
  const before = of.shards.map((shard) => shard?.slice());
  segmentCoder.read(without(of, [0]), keys);
  segmentCoder.repair(without(of, [1]), [1], keys);
  assert.deepEqual(of.shards, before);
});

test('refuses more bytes than the segment has', () => {
  const [segment] = segmentsOf(5000, small) as [Segment];
  assert.throws(() => segmentCoder.encode(new Uint8Array(6000), { segment, storageClass: small }, keys), {
    code: 'CODING_INPUT_INVALID',
  });
});

test('refuses more places than the class has, and a lost shard that is none of them', () => {
  const { of } = stored(5000, small);
  const refused = { code: 'CODING_INPUT_INVALID' };
  assert.throws(() => segmentCoder.read({ ...of, shards: [...of.shards, of.shards[0]] }, keys), refused);
  assert.throws(() => segmentCoder.read({ ...of, roots: of.roots.slice(1) }, keys), refused);
  for (const lost of [5, -1, Number.NaN]) assert.throws(() => segmentCoder.repair(of, [lost], keys), refused);
});
