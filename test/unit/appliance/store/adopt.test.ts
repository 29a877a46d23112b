import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { KIND } from '../../../../appliance/store/index-keys.ts';
import { openSealedIndex } from '../../../../appliance/store/sealed-index.ts';
import { encodeIndexFrame, type IndexFrame, parseIndexFrames } from '../../../../protocol/backup/index-frames.ts';
import { hasCode } from '../../../compliance/store.ts';
import { context, createFixture, type Fixture, get, put } from './store-fixture.ts';

let open: Fixture[] = [];
afterEach(async () => {
  for (const made of open) await made.close();
  open = [];
});
const { signal } = new AbortController();

async function fixture(): Promise<Fixture> {
  const made = await createFixture();
  open.push(made);
  return made;
}

/** What a backup of this moment has of the index; the store is down meanwhile. */
async function backedUp(f: Fixture): Promise<IndexFrame[]> {
  await f.store.stop();
  const copy = join(f.home, `copy-${Math.random()}`);
  cpSync(join(f.home, 'store/index'), copy, { recursive: true });
  await f.start();
  const index = await openSealedIndex(copy);
  const frames: IndexFrame[] = [];
  for (const source of [index.entries(), index.blobs()]) for await (const entry of source) frames.push(entry);
  await index.close();
  return frames;
}

/** Loses the entries of a kind. */
async function lose(f: Fixture, kinds: readonly number[]): Promise<void> {
  await f.store.stop();
  const db = new ClassicLevel<Buffer, Buffer>(join(f.home, 'store/index'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false,
  });
  for await (const key of db.keys()) if (kinds.includes(key[0] ?? 0)) await db.put(key, Buffer.alloc(150, 3));
  await db.close();
  await f.start();
}

async function* framed(frames: readonly IndexFrame[], pieceBytes = 7_777): AsyncGenerator<Uint8Array> {
  const all = Buffer.concat(frames.map(encodeIndexFrame));
  for (let at = 0; at < all.length; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
}
const adopt = (f: Fixture, frames: readonly IndexFrame[]) => f.store.adopt(framed(frames), context, signal);
const fsck = (f: Fixture) => f.store.fsck({ accept: false, context }, () => undefined);
const ofKind = (frames: readonly IndexFrame[], kind: number) => frames.filter(([key]) => key[0] === kind);

test('takes back what the index lost: versions, and the small blobs that it then asks for', async () => {
  const f = await fixture();
  const small = await put(f.store, Buffer.from('a small record'));
  const large = await put(f.store, Buffer.alloc(200_000, 7));
  const frames = await backedUp(f);
  await lose(f, [KIND.version, KIND.inlineBlock, KIND.head]);
  assert.equal((await fsck(f)).records, 0);
  const taken = await adopt(f, ofKind(frames, KIND.version));
  assert.deepEqual([taken.offered, taken.adopted, taken.refused, taken.wanted.length], [2, 2, 0, 1]);
  const wanted = ofKind(frames, KIND.inlineBlock).filter(([key]) =>
    taken.wanted.includes(Buffer.from(key).toString('hex')),
  );
  assert.equal((await adopt(f, wanted)).adopted, 1);
  const report = await fsck(f);
  assert.deepEqual([report.records, report.lostVersions], [2, 0]);
  assert.equal((await get(f.store, small.recordId)).toString(), 'a small record');
  assert.equal((await get(f.store, large.recordId)).length, 200_000);
  assert.equal((await f.store.list({ limit: 10 }, context)).records.length, 2);
  const told = f.audit.events.find(({ detail }) => detail?.state === 'adopted');
  assert.equal(told?.detail?.adopted, 2);
});

test('replaces nothing that is there, and takes nothing twice', async () => {
  const f = await fixture();
  await put(f.store, Buffer.from('one'));
  const frames = await backedUp(f);
  const taken = await adopt(f, frames);
  assert.deepEqual([taken.adopted, taken.refused], [0, 0]);
});

test('brings back nothing that was destroyed, also where the tombstone is lost', async () => {
  const f = await fixture();
  const doomed = await put(f.store, Buffer.from('to be destroyed'));
  const kept = await put(f.store, Buffer.from('kept'));
  const frames = await backedUp(f);
  await f.store.shred(doomed.recordId, context);
  for (const kinds of [[KIND.version], [KIND.version, KIND.head]]) {
    await lose(f, kinds);
    const taken = await adopt(f, ofKind(frames, KIND.version));
    assert.deepEqual([taken.adopted, taken.refused], [1, 1], String(kinds));
    await fsck(f);
    await assert.rejects(get(f.store, doomed.recordId), hasCode('STORE_RECORD_SHREDDED'));
    assert.equal((await get(f.store, kept.recordId)).toString(), 'kept');
  }
});

test('refuses what is of another node, altered or moved, and entries that end early', async () => {
  const f = await fixture();
  await put(f.store, Buffer.from('one'));
  const other = await fixture();
  await put(other.store, Buffer.from('foreign'));
  const own = ofKind(await backedUp(f), KIND.version)[0] ?? assert.fail('no version');
  const foreign = ofKind(await backedUp(other), KIND.version)[0] ?? assert.fail('no version');
  await lose(f, [KIND.version]);
  const altered = Buffer.from(own[1]);
  altered[40] = (altered[40] ?? 0) ^ 1;
  const moved = Buffer.from(own[0]);
  moved[5] = (moved[5] ?? 0) ^ 1;
  const taken = await adopt(f, [foreign, [own[0], altered], [moved, own[1]]]);
  assert.deepEqual([taken.offered, taken.adopted, taken.refused], [3, 0, 3]);
  const cut = Buffer.concat([encodeIndexFrame(own)]).subarray(0, 50);
  const short = (async function* () {
    yield cut;
  })();
  await assert.rejects(f.store.adopt(short, context, signal), hasCode('BACKUP_FORMAT_INVALID'));
});

test('frames come through whole, however they are cut', async () => {
  const frames: IndexFrame[] = [0, 1, 300].map((bytes) => [Buffer.alloc(33, bytes), Buffer.alloc(bytes, 9)]);
  for (const piece of [1, 5, 1_000]) {
    const found: IndexFrame[] = [];
    for await (const frame of parseIndexFrames(framed(frames, piece))) found.push(frame);
    assert.deepEqual(
      found.map((frame) => frame.map((part) => Buffer.from(part).toString('hex'))),
      frames.map((frame) => frame.map((part) => Buffer.from(part).toString('hex'))),
    );
  }
});
