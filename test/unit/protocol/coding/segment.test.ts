import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeShardCrypto } from '../../../../appliance/coding/index.ts';
import { padmeLength } from '../../../../protocol/coding/padme.ts';
import {
  cutSegment,
  joinSegment,
  MAX_SEGMENT_BYTES,
  type Segment,
  segmentsOf,
} from '../../../../protocol/coding/segment.ts';
import { durableAt, findClassFor, STORAGE_CLASSES } from '../../../../protocol/coding/storage-class.ts';
import { shardKey } from '../../../../protocol/coding/whitening.ts';

test('cuts a padded blob into segments that follow one another, of at most 64 MiB, with shards of whole leaves', () => {
  const classes = fc.constantFrom(...Object.values(STORAGE_CLASSES));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 34 }), classes, (length, storageClass) => {
      const segments = segmentsOf(length, storageClass);
      let at = 0;
      for (const segment of segments) {
        assert.equal(segment.offset, at);
        assert.ok(segment.length > 0 && segment.length <= MAX_SEGMENT_BYTES);
        assert.equal(segment.shardBytes % 256, 0);
        const stored = segment.shardBytes * storageClass.data;
        assert.ok(stored >= segment.length && stored < segment.length + 256 * storageClass.data);
        at += segment.length;
      }
      assert.equal(at, padmeLength(length));
    }),
    { seed: 8 },
  );
});

test('joins what it cut, padded with zeros', () => {
  for (const length of [1, 256, 5119, 5120, 6000]) {
    const [segment] = segmentsOf(length, STORAGE_CLASSES.standard) as [Segment];
    const bytes = Uint8Array.from({ length }, (_, i) => i % 253);
    const shards = cutSegment(bytes, segment, STORAGE_CLASSES.standard);
    assert.equal(shards.length, 20);
    const joined = joinSegment(shards.slice(0, 10), segment.length);
    assert.deepEqual(joined.subarray(0, length), bytes);
    assert.ok(joined.subarray(length).every((byte) => byte === 0));
  }
});

test('refuses an empty blob, a length that is none, too many bytes and too few shards', () => {
  for (const length of [0, -1, 1.5])
    assert.throws(() => segmentsOf(length, STORAGE_CLASSES.small), { code: 'CODING_INPUT_INVALID' });
  const segment = { offset: 0, length: 100, shardBytes: 256 };
  assert.throws(() => cutSegment(new Uint8Array(101), segment, STORAGE_CLASSES.small), {
    code: 'CODING_INPUT_INVALID',
  });
  assert.throws(() => joinSegment([new Uint8Array(256)], 257), { code: 'CODING_INPUT_INVALID' });
});

test('takes the class that so many holders carry, and none below five', () => {
  assert.equal(findClassFor(4), undefined);
  assert.equal(findClassFor(5), STORAGE_CLASSES.small);
  assert.equal(findClassFor(39), STORAGE_CLASSES.small);
  assert.equal(findClassFor(500), STORAGE_CLASSES.standard);
  assert.deepEqual(Object.values(STORAGE_CLASSES).map(durableAt), [4, 17, 31]);
});

test('gives every shard a key of its own, and refuses what is no place of a shard', () => {
  const ownerSecret = new Uint8Array(32).fill(1);
  const segmentId = new Uint8Array(32).fill(2);
  const key = (secret: Uint8Array, id: Uint8Array, index: number) =>
    Buffer.from(shardKey(nodeShardCrypto, secret, { segmentId: id, index })).toString('hex');
  const keys = [
    key(ownerSecret, segmentId, 0),
    key(ownerSecret, segmentId, 1),
    key(ownerSecret, segmentId, 256),
    key(segmentId, segmentId, 0),
    key(ownerSecret, ownerSecret, 0),
  ];
  assert.equal(new Set(keys).size, keys.length);
  const refused = { code: 'CODING_INPUT_INVALID' };
  assert.throws(() => key(new Uint8Array(31), segmentId, 0), refused);
  assert.throws(() => key(ownerSecret, new Uint8Array(33), 0), refused);
  for (const index of [-1, 1.5, 65_536]) assert.throws(() => key(ownerSecret, segmentId, index), refused);
});
