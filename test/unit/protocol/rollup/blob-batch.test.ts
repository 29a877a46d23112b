import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { keccak256 } from 'ethers';
import fc from 'fast-check';
import {
  type BatchData,
  batchBytes,
  dataHashOf,
  encodeBatchData,
  MAX_BATCH_DATA_BYTES,
  MAX_BLOBS_PER_BATCH,
  parseBatchData,
} from '../../../../protocol/rollup/batch-data.ts';
import { BLOB_BYTES, BLOB_CAPACITY, decodeBlobs, encodeBlobs } from '../../../../protocol/rollup/blob-batch.ts';

test('a batch comes back from its blobs, at every edge of a field element and of a blob', () => {
  for (const length of [0, 1, 26, 27, 28, 30, 31, 32, 110_000, BLOB_CAPACITY - 4, BLOB_CAPACITY - 3, 300_000]) {
    const batch = randomBytes(length);
    const blobs = encodeBlobs(batch);
    assert.equal(blobs.length, Math.ceil((length + 4) / BLOB_CAPACITY), `${length}`);
    assert.ok(blobs.every((blob) => blob.length === BLOB_BYTES && blob.every((byte, at) => at % 32 > 0 || byte === 0)));
    assert.deepEqual(Buffer.from(decodeBlobs(blobs) ?? []), batch, `${length}`);
  }
});

test('the layout is that of 0013: the low 31 bytes of each element, the length first', () => {
  const [blob] = encodeBlobs(Uint8Array.from({ length: 30 }, (_, at) => at + 1));
  assert.deepEqual([...(blob ?? []).slice(0, 6)], [0, 0, 0, 0, 30, 1]);
  assert.deepEqual([...(blob ?? []).slice(31, 36)], [27, 0, 28, 29, 30]);
});

test('every blob payload is a batch or a malformed one, never an error', () => {
  const [blob] = encodeBlobs(randomBytes(100));
  assert.ok(blob);
  const broken = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const copy = blob.slice();
    change(copy);
    return copy;
  };
  const tooLong = broken((bytes) => bytes.set([0, 0xff, 0xff, 0xff, 0xff]));
  const highByte = broken((bytes) => bytes.set([1], BLOB_BYTES - 32));
  for (const blobs of [[], [tooLong], [highByte], [blob.slice(1)], [blob, highByte]]) {
    assert.equal(decodeBlobs(blobs), undefined);
  }
  const tail = broken((bytes) => bytes.set([7], BLOB_BYTES - 1));
  assert.deepEqual(decodeBlobs([tail]), decodeBlobs([blob]), 'what follows the batch means nothing');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), (head) => {
      const bytes = new Uint8Array(BLOB_BYTES);
      bytes.set(head);
      decodeBlobs([bytes]);
    }),
  );
});

const hash = (byte: number): `0x${string}` => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

test('the data of a batch is kept and sent in one form, without the zeros of its blobs', () => {
  const calldata: BatchData = { source: 'calldata', bytes: Uint8Array.of(1, 2, 3, 0) };
  const blobs: BatchData = {
    source: 'blobs',
    versionedHashes: [hash(1), hash(2)],
    blobs: [...encodeBlobs(randomBytes(130_000))],
  };
  for (const data of [calldata, blobs]) {
    const encoded = encodeBatchData(data);
    assert.ok(encoded && encoded.length < 140_000);
    assert.deepEqual(parseBatchData(encoded), data);
  }
  assert.equal(dataHashOf(calldata), keccak256('0x01020300'));
  assert.equal(dataHashOf(blobs), keccak256(`${hash(1)}${hash(2).slice(2)}`));
  assert.equal(batchBytes(blobs)?.length, 130_000);
  const many = Array.from({ length: MAX_BLOBS_PER_BATCH + 1 }, () => new Uint8Array(BLOB_BYTES));
  assert.equal(encodeBatchData({ source: 'blobs', versionedHashes: many.map(() => hash(1)), blobs: many }), undefined);
});

test('what a peer sends as the data of a batch is data in its one form, or nothing', () => {
  const encoded = encodeBatchData({ source: 'blobs', versionedHashes: [hash(9)], blobs: encodeBlobs(randomBytes(50)) });
  assert.ok(encoded);
  const padded = Uint8Array.from([...encoded, 0]);
  new DataView(padded.buffer).setUint32(33, encoded.length - 37 + 1);
  const huge = encoded.slice();
  new DataView(huge.buffer).setUint32(33, 0xffff_ffff);
  for (const bytes of [
    new Uint8Array(),
    Uint8Array.of(1),
    Uint8Array.of(2, 3),
    encoded.subarray(0, 30),
    encoded.subarray(0, -1),
    padded,
    huge,
    new Uint8Array(MAX_BATCH_DATA_BYTES + 1).fill(1),
    new Uint8Array(200_000),
  ]) {
    assert.equal(parseBatchData(bytes), undefined);
  }
});
