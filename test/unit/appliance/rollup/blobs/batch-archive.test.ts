import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createBatchArchive, type DerivedBatch } from '../../../../../appliance/rollup/blobs/batch-archive.ts';
import { createPeerBatches } from '../../../../../appliance/rollup/blobs/peer-batches.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { type BatchData, dataHashOf, encodeBatchData } from '../../../../../protocol/rollup/batch-data.ts';
import { encodeBlobs } from '../../../../../protocol/rollup/blob-batch.ts';
import { hashKzg } from './beacon-double.ts';

const { signal } = new AbortController();

function createDatabase() {
  const records = new Map<string, Uint8Array>();
  return {
    records,
    record: async (name: string) => records.get(name),
    async putRecords(changes: ReadonlyMap<string, Uint8Array | undefined>) {
      for (const [name, bytes] of changes) bytes === undefined ? records.delete(name) : records.set(name, bytes);
    },
  };
}

function calldata(size: number): BatchData {
  return { source: 'calldata', bytes: randomBytes(size) };
}

function derived(sequenceNumber: bigint, data: BatchData, l1 = 100n): { batch: DerivedBatch; data: BatchData } {
  const place = { number: l1, hash: `0x${'11'.repeat(32)}` as Hex };
  const batch = { sequenceNumber, dataHash: dataHashOf(data), delayedCount: 0n, source: data.source, l1: place };
  return { batch, data };
}

function archiveOn(db: ReturnType<typeof createDatabase>, maxBytes = 1_000_000, maxL1Blocks = 0) {
  const archive = createBatchArchive({ maxBytes, maxL1Blocks }, db);
  const keep = async (...batches: Parameters<typeof archive.keep>[0]) => db.putRecords(await archive.keep(batches));
  return { archive, keep };
}

test('what was derived is kept by its hash and found by its number', async () => {
  const { archive, keep } = archiveOn(createDatabase());
  const data = calldata(50);
  await keep(derived(3n, data));
  assert.deepEqual(await archive.find(dataHashOf(data)), {
    ...data,
    bytes: new Uint8Array((data as { bytes: Uint8Array }).bytes),
  });
  assert.deepEqual((await archive.batch(3n))?.dataHash, dataHashOf(data));
  assert.equal(await archive.batch(4n), undefined);
  assert.equal(await archive.find(`0x${'00'.repeat(32)}`), undefined);
});

test('beyond its bytes the oldest is forgotten, but not that it was; a restart counts on', async () => {
  const db = createDatabase();
  const all = Array.from({ length: 10 }, () => calldata(100));
  for (const [index, data] of all.entries()) await archiveOn(db, 350).keep(derived(BigInt(index), data));
  const { archive } = archiveOn(db, 350);
  const found = await Promise.all(all.map((data) => archive.find(dataHashOf(data))));
  assert.deepEqual(
    found.map((data) => data !== undefined),
    [...Array(7).fill(false), ...Array(3).fill(true)],
  );
  assert.deepEqual(await archive.size(), { batches: 3, bytes: 303 });
  assert.ok(await archive.batch(0n), 'where it was is still known');
  assert.equal([...db.records.keys()].filter((key) => key.startsWith('archive/data/')).length, 3);
});

test('what L1 took too long ago is forgotten, and what is larger than the archive is not kept', async () => {
  const { archive, keep } = archiveOn(createDatabase(), 1_000, 50);
  const [old, young, large] = [calldata(10), calldata(10), calldata(2_000)];
  await keep(derived(0n, old, 100n));
  await keep(derived(1n, young, 150n));
  assert.ok(await archive.find(dataHashOf(old)));
  await keep(derived(2n, large, 151n));
  assert.equal(await archive.find(dataHashOf(old)), undefined);
  assert.equal(await archive.find(dataHashOf(large)), undefined);
  assert.ok(await archive.find(dataHashOf(young)));
});

test('an L1 reorg replaces a blob batch by one in calldata and brings it back: both are there, each counted once', async () => {
  const { archive, keep } = archiveOn(createDatabase());
  const blobs = encodeBlobs(randomBytes(40));
  const versionedHashes = await Promise.all(blobs.map((blob) => hashKzg.versionedHash(blob)));
  const inBlobs: BatchData = { source: 'blobs', versionedHashes, blobs };
  const plain = calldata(40);
  for (const data of [inBlobs, plain, inBlobs]) {
    await keep(derived(7n, data));
    assert.equal((await archive.batch(7n))?.dataHash, dataHashOf(data));
  }
  assert.equal((await archive.size()).batches, 2);
  const found = await archive.find(dataHashOf(inBlobs));
  assert.ok(
    found?.source === 'blobs' && Buffer.compare(found.blobs[0] ?? new Uint8Array(), blobs[0] ?? new Uint8Array()) === 0,
  );
  assert.equal(found.blobs.length, blobs.length);
});

test('what a peer gives is taken only when it is what L1 committed to', async () => {
  const [blob = new Uint8Array()] = encodeBlobs(randomBytes(40));
  const hash = await hashKzg.versionedHash(blob);
  const honest: BatchData = { source: 'blobs', versionedHashes: [hash], blobs: [blob] };
  const other = blob.slice();
  other[9] = (other[9] ?? 0) ^ 1;
  const lies: (BatchData | Uint8Array)[] = [
    calldata(40),
    { ...honest, blobs: [other] },
    { ...honest, versionedHashes: [await hashKzg.versionedHash(other)], blobs: [other] },
    { ...honest, versionedHashes: [hash, hash], blobs: [blob, blob] },
    new Uint8Array(),
    randomBytes(2_000),
  ];
  const encode = (data: BatchData | Uint8Array) =>
    data instanceof Uint8Array ? data : (encodeBatchData(data) ?? (data as never));
  const offered = [...lies, honest].map(encode);
  let answered = 0;
  const peers = {
    async ask(_: unknown, take: (encoded: Uint8Array) => Promise<boolean>) {
      for (const encoded of offered) {
        answered += 1;
        if (await take(encoded)) return;
      }
    },
  };
  const log = createLogger({ level: 'silent' });
  const finder = createPeerBatches({ peers, kzg: hashKzg, log });
  const found = await finder.find({ sequenceNumber: 1n, dataHash: dataHashOf(honest) }, signal);
  assert.equal(answered, offered.length);
  assert.ok(found?.source === 'blobs' && Buffer.compare(found.blobs[0] ?? new Uint8Array(), blob) === 0);
  const broken = { ask: async () => Promise.reject(new Error('no network')) };
  assert.equal(
    await createPeerBatches({ peers: broken, kzg: hashKzg, log }).find({ sequenceNumber: 1n, dataHash: hash }, signal),
    undefined,
  );
});
