import assert from 'node:assert/strict';
import { randomBytes, verify } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { CarReader } from '@ipld/car';
import { MemoryBlockstore } from 'blockstore-core';
import { exporter } from 'ipfs-unixfs-exporter';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import { cidText, rawCid } from '../../../../appliance/store/cid.ts';
import type { PeerIdText, RecordId } from '../../../../protocol/brand.ts';
import { blobAad } from '../../../../protocol/envelope/aad.ts';
import { destructionStatementBytes } from '../../../../protocol/envelope/destruction-receipt.ts';
import { createOpener } from '../../../../protocol/envelope/stream.ts';
import { hasCode } from '../../../compliance/store.ts';
import {
  context,
  createFixture,
  type Fixture,
  type FixtureOptions,
  get,
  NODE_ID,
  put,
  readAll,
  signal,
  signerPublicKey,
  streamOf,
} from './store-fixture.ts';

const MIB = 1024 * 1024;
let open: Fixture[] = [];

async function fixture(options?: FixtureOptions): Promise<Fixture> {
  const made = await createFixture(options);
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const made of open) await made.close();
  open = [];
});

const peer = (n: number): PeerIdText => `12D3KooW${n}` as PeerIdText;
const staged = (f: Fixture): Promise<string[]> => readdir(join(f.home, 'store/staging'));
async function blockFiles(f: Fixture): Promise<string[]> {
  const entries = await readdir(join(f.home, 'store/blocks'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('nothing works before the start', async () => {
  const f = await fixture();
  await f.store.stop();
  assert.equal(f.store.readiness().ready, false);
  await assert.rejects(get(f.store, 'x' as RecordId), hasCode('NODE_NOT_READY'));
  assert.throws(() => f.store.stats(), hasCode('NODE_NOT_READY'));
  await f.restart();
});

test('two stores do not open one home', async () => {
  const f = await fixture();
  await assert.rejects(createFixture({ home: f.home }), hasCode('NODE_HOME_IN_USE'));
});

test('rewrap moves every DEK to the new KEK, touches no blob, and goes on where it stopped', async () => {
  const f = await fixture();
  const bytes = randomBytes(2 * MIB);
  const first = await put(f.store, bytes);
  for (let i = 0; i < 80; i++) await put(f.store, Buffer.from(`${i}`));
  f.keys.rotate();
  const newer = await put(f.store, Buffer.from('newer'));
  const progress: number[] = [];
  assert.deepEqual(await f.store.rewrap((done) => progress.push(done), context), { rewrapped: 81 });
  assert.equal(progress.at(-1), 81);
  for (const { recordId, cid } of [first, newer]) {
    const meta = await f.store.head(recordId, {}, context);
    assert.deepEqual([meta.kekId, meta.cid], ['kek/2', cid]);
  }
  assert.deepEqual(await get(f.store, first.recordId), bytes);
  assert.deepEqual(await f.store.rewrap(() => undefined, context), { rewrapped: 0 });
});

test('a CAR export is the sealed blob, readable by IPFS, and opens with the DEK alone', async () => {
  const f = await fixture();
  const plaintext = randomBytes(2 * MIB);
  let dek: Uint8Array | undefined;
  const { newDek } = f.keys;
  f.keys.newDek = (of) => {
    const made = newDek(of);
    dek = Uint8Array.from(made.dek);
    return made;
  };
  const { recordId, cid } = await put(f.store, plaintext);
  const car = await CarReader.fromIterable(f.store.exportCar(recordId, {}, context));
  assert.deepEqual((await car.getRoots()).map(String), [cid]);
  const blocks = new MemoryBlockstore();
  for await (const block of car.blocks()) await blocks.put(block.cid, block.bytes);
  const file = await exporter(cid, blocks);
  assert(file.type === 'file');
  const blob = await readAll(file.content());
  assert(dek);
  const opener = createOpener(crypto, { dek, aad: blobAad({ nodeId: NODE_ID, recordId, version: 1 }) }, blob);
  const parts = [0, 1, 2].map((i) => opener?.open(blob.subarray(i * MIB, (i + 1) * MIB), i, i === 2));
  assert.deepEqual(Buffer.concat(parts.map((part) => part ?? new Uint8Array(0))), plaintext);
  assert.equal(f.audit.events.at(-1)?.type, 'record.export');
});

test('the destruction receipt carries a valid signature', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('x'));
  const receipt = await f.store.shred(recordId, context);
  assert.equal(
    verify(null, destructionStatementBytes(receipt), signerPublicKey, Buffer.from(receipt.signature, 'base64')),
    true,
  );
});

test('commitments are salted, and leave the queue when anchored', async () => {
  const f = await fixture();
  const [a, b] = [await put(f.store, Buffer.from('a')), await put(f.store, Buffer.from('b'))];
  const waiting = await f.store.unanchored(10);
  assert.deepEqual(new Set(waiting.map((item) => item.recordId)), new Set([a.recordId, b.recordId]));
  assert.equal(new Set(waiting.map((item) => Buffer.from(item.commitment).toString('hex'))).size, 2);
  assert.deepEqual(await f.store.unanchored(10), waiting);
  assert.equal((await f.store.unanchored(1)).length, 1);
  const [of, other] = [a, b].map(({ recordId }) => waiting.find((item) => item.recordId === recordId));
  assert.ok(of !== undefined && other !== undefined);
  await f.store.markAnchored([{ ...of, commitment: other.commitment }], { root: 'r', batchId: 'b' });
  assert.deepEqual(await f.store.unanchored(10), waiting, 'a root over another commitment covers nothing of it');
  await f.store.markAnchored([of], { root: 'r', batchId: 'b' });
  assert.deepEqual(
    (await f.store.unanchored(10)).map((item) => item.recordId),
    [b.recordId],
  );
  assert.equal((await f.store.head(a.recordId, {}, context)).anchored, true);
  await f.store.shred(b.recordId, context);
  assert.deepEqual(await f.store.unanchored(10), []);
});

test('the replication queue goes round and empties as holders are marked', async () => {
  const f = await fixture({ replicas: 2 });
  const receipts = [
    await put(f.store, randomBytes(2 * MIB)),
    await put(f.store, Buffer.from('s')),
    await put(f.store, Buffer.from('t')),
  ];
  const seen = new Set<string>();
  for (let i = 0; i < 3; i++) for (const item of await f.store.underReplicated(1)) seen.add(item.root);
  assert.deepEqual(seen, new Set(receipts.map((receipt) => receipt.cid)));
  const [big] = receipts as [(typeof receipts)[0] & object];
  assert.equal((await f.store.blocks.links(big.cid)).length, 4);
  await f.store.markReplicated(big.cid, peer(1));
  await f.store.markReplicated(big.cid, peer(1));
  assert.deepEqual((await f.store.head(big.recordId, {}, context)).replicas, [peer(1)]);
  await f.store.markReplicated(big.cid, peer(2));
  await f.store.underReplicated(10);
  const left = [...(await f.store.underReplicated(10)), ...(await f.store.underReplicated(10))].map(
    (item) => item.root,
  );
  assert.equal(left.includes(big.cid), false);
});

test('blocks held for others: checked, per owner, within quota, released', async () => {
  const f = await fixture();
  const block = (bytes: Uint8Array) => ({ cid: cidText(rawCid(bytes)), bytes });
  const [a, b] = [block(randomBytes(MIB)), block(randomBytes(1000))];
  const root = a.cid;
  await f.store.held.hold(peer(1), root, a);
  await f.store.held.hold(peer(1), root, a);
  await f.store.held.hold(peer(1), root, b);
  assert.equal(f.store.held.bytes(), MIB + 1000);
  assert.deepEqual(await f.store.held.get(peer(1), b.cid), b.bytes);
  assert.equal(await f.store.held.get(peer(2), b.cid), undefined);
  assert.equal(await f.store.blocks.get(b.cid), undefined);
  const wrong = { cid: a.cid, bytes: b.bytes };
  await assert.rejects(f.store.held.hold(peer(1), root, wrong), hasCode('STORE_BLOCK_INVALID'));
  await assert.rejects(f.store.held.hold(peer(1), root, block(randomBytes(MIB + 1))), hasCode('STORE_BLOCK_INVALID'));
  await assert.rejects(f.store.held.hold(peer(1), '../x' as typeof root, a), hasCode('STORE_BLOCK_INVALID'));
  await assert.rejects(f.store.held.hold(peer(1), root, block(randomBytes(MIB))), hasCode('STORE_HELD_QUOTA'));
  await f.store.held.hold(peer(2), root, a);
  await f.store.held.hold(peer(3), root, block(randomBytes(MIB)));
  await assert.rejects(f.store.held.hold(peer(4), root, block(randomBytes(MIB))), hasCode('STORE_HELD_QUOTA'));
  await f.restart();
  assert.deepEqual(await f.store.held.get(peer(2), a.cid), a.bytes);
  await f.store.held.release(peer(1), root);
  assert.equal(await f.store.held.get(peer(1), a.cid), undefined);
  assert.deepEqual(await f.store.held.get(peer(2), a.cid), a.bytes);
  assert.equal(f.store.held.bytes(), 2 * MIB);
});

test('what one owner releases is never our own block', async () => {
  const f = await fixture();
  const { recordId, cid } = await put(f.store, randomBytes(100_000));
  const bytes = await f.store.blocks.get(cid);
  assert(bytes);
  await f.store.held.hold(peer(1), cid, { cid, bytes });
  await f.store.held.release(peer(1), cid);
  assert.equal((await get(f.store, recordId)).length, 100_000);
});

test('a record over the limit is refused and leaves nothing', async () => {
  const f = await fixture({ maxRecordBytes: 2 * MIB });
  await put(f.store, randomBytes(2 * MIB));
  const before = await blockFiles(f);
  await assert.rejects(put(f.store, randomBytes(2 * MIB + 1)), hasCode('STORE_RECORD_TOO_LARGE'));
  assert.deepEqual([await staged(f), await blockFiles(f)], [[], before]);
});

test('a full volume is one clear error; reading and deleting go on', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('kept'));
  const doomed = await put(f.store, randomBytes(MIB));
  await f.store.stop();
  const full = await createFixture({
    home: f.home,
    minFreeBytes: Number.MAX_SAFE_INTEGER,
    keys: f.keys,
    audit: f.audit,
  });
  assert.deepEqual(full.store.readiness(), {
    ready: false,
    reason: 'the volume is full: no new records are taken',
    fault: { code: 'NODE_DISK_FULL', data: { path: join(f.home, 'store', 'blocks') } },
  });
  await assert.rejects(put(full.store, Buffer.from('more')), hasCode('NODE_DISK_FULL'));
  await assert.rejects(
    full.store.held.hold(peer(1), doomed.cid, { cid: cidText(rawCid(Buffer.of(1))), bytes: Buffer.of(1) }),
    hasCode('NODE_DISK_FULL'),
  );
  assert.equal((await get(full.store, recordId)).toString(), 'kept');
  await full.store.shred(doomed.recordId, context);
  await full.store.stop();
  await f.restart();
});

test('the start collects what crashes left: staged files, blocks in mid-move, unnamed trees', async () => {
  const f = await fixture();
  const kept = await put(f.store, randomBytes(3 * MIB));
  const before = (await blockFiles(f)).sort();
  // A crash between the blocks and the index: the leaf cannot be written, and neither can anything after it.
  f.audit.failNext = 'record.create';
  const blocksFolder = join(f.home, 'store/blocks');
  await assert.rejects(put(f.store, randomBytes(3 * MIB)));
  assert.deepEqual((await blockFiles(f)).sort(), before);
  await mkdir(join(f.home, 'store/staging/half'));
  await writeFile(join(f.home, 'store/staging/half/block'), randomBytes(10));
  await f.restart();
  assert.deepEqual(await staged(f), []);
  assert.deepEqual((await blockFiles(f)).sort(), before);
  await access(blocksFolder);
  assert.equal((await get(f.store, kept.recordId)).length, 3 * MIB);
});

test('an upload that is stopped by the store leaves nothing', async () => {
  const f = await fixture();
  const endless = (async function* () {
    for (;;) {
      yield randomBytes(MIB);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const upload = f.store.put({ contentType: 'a/b', labels: [] }, endless, context, signal);
  upload.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await f.store.stop();
  await assert.rejects(upload, hasCode('NODE_NOT_READY'));
  assert.deepEqual(await blockFiles(f), []);
  await f.restart();
  assert.deepEqual(await staged(f), []);
});

test('a block file that cannot be written ends the put with its error and cleans up', async () => {
  const f = await fixture();
  const shards = join(f.home, 'store/blocks');
  await rename(shards, `${shards}.away`);
  await assert.rejects(
    f.store.put({ contentType: 'a/b', labels: [] }, streamOf(randomBytes(3 * MIB)), context, signal),
  );
  await rm(shards, { recursive: true, force: true });
  await rename(`${shards}.away`, shards);
  assert.deepEqual(await staged(f), []);
  const again = await put(f.store, randomBytes(3 * MIB));
  assert.equal((await stat(join(shards, again.cid.slice(-2, -1), again.cid))).isFile(), true);
});

test('a put that cannot commit after its leaf says so in the log, and scrub accepts it', async () => {
  const f = await fixture();
  await put(f.store, Buffer.from('fine'));
  f.audit.events.push({
    type: 'record.create',
    outcome: 'success',
    context,
    recordId: '1'.repeat(32) as RecordId,
    version: 1,
    detail: { cid: 'c' },
  });
  const report = await f.store.scrub(() => undefined);
  assert.deepEqual(report.findings, [
    { code: 'STORE_RECORD_UNACCOUNTED', recordId: '1'.repeat(32), version: 1, auditLeaf: 1 },
  ]);
  f.audit.events.push({
    type: 'record.create',
    outcome: 'failure',
    context,
    recordId: '1'.repeat(32) as RecordId,
    version: 1,
    detail: { cid: 'c' },
  });
  assert.deepEqual((await f.store.scrub(() => undefined)).findings, []);
});
