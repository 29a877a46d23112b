import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { KIND } from '../../../../appliance/store/index-keys.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { hasCode } from '../../../compliance/store.ts';
import { context, createFixture, type Fixture, type FixtureOptions, get, put, signal } from './store-fixture.ts';

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

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const blockPath = (home: string, cid: string): string => join(home, 'store/blocks', cid.slice(-2, -1), cid);

/** Changes the raw database while the store is down. */
async function inDatabase(f: Fixture, change: (db: ClassicLevel<Buffer, Buffer>) => Promise<void>): Promise<void> {
  await f.store.stop();
  const db = new ClassicLevel<Buffer, Buffer>(join(f.home, 'store/index'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false,
  });
  await change(db);
  await db.close();
  await f.restart();
}

async function keysOf(db: ClassicLevel<Buffer, Buffer>, kind: number): Promise<Buffer[]> {
  const keys: Buffer[] = [];
  for await (const key of db.keys({ gte: Buffer.of(kind), lt: Buffer.of(kind + 1) })) keys.push(Buffer.from(key));
  return keys;
}

const findings = async (f: Fixture): Promise<string[]> =>
  (await f.store.scrub(() => undefined)).findings.map((finding) => finding.code);

test('any altered byte of a block file is found before it is served', async () => {
  const f = await fixture();
  const { recordId, cid } = await put(f.store, randomBytes(70_000));
  const path = blockPath(f.home, cid);
  const good = await readFile(path);
  for (let i = 0; i < good.length; i += i < 60 || i > good.length - 20 ? 1 : 4001) {
    const bad = Buffer.from(good);
    bad[i] = (bad[i] ?? 0) ^ 1;
    await writeFile(path, bad);
    await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOB_CORRUPT'), `byte ${i}`);
  }
  for (const cut of [
    good.subarray(0, -1),
    good.subarray(0, 40),
    Buffer.alloc(0),
    Buffer.concat([good, Buffer.of(0)]),
  ]) {
    await writeFile(path, cut);
    await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOB_CORRUPT'));
  }
  assert.deepEqual(await findings(f), ['STORE_BLOB_CORRUPT']);
  assert.equal(f.audit.events.at(-1)?.outcome, 'failure');
  await rm(path);
  await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOCK_MISSING'));
  assert.deepEqual(await findings(f), ['STORE_BLOCK_MISSING']);
});

test('blocks swapped within a blob are found, in leaves and in nodes', async () => {
  const f = await fixture();
  const { recordId, cid } = await put(f.store, randomBytes(3 * MIB));
  const [root, a, b] = (await f.store.blocks.links(cid)) as [Cid, Cid, Cid];
  const first = await readFile(blockPath(f.home, a));
  await writeFile(blockPath(f.home, a), await readFile(blockPath(f.home, b)));
  await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOB_CORRUPT'));
  await writeFile(blockPath(f.home, a), first);
  await writeFile(blockPath(f.home, root), first);
  await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOB_CORRUPT'));
});

test('a bad block in the middle ends the body, and nothing of it comes out', async () => {
  const f = await fixture();
  const plaintext = randomBytes(6 * MIB);
  const { recordId, cid } = await put(f.store, plaintext);
  const links = await f.store.blocks.links(cid);
  await writeFile(blockPath(f.home, links[5] ?? cid), randomBytes(MIB));
  const { body } = await f.store.open(recordId, {}, context, signal);
  let read = 0;
  await assert.rejects(async () => {
    for await (const part of body) {
      assert.deepEqual(part, plaintext.subarray(read, read + part.length));
      read += part.length;
    }
  }, hasCode('STORE_BLOB_CORRUPT'));
  assert.equal(read, 4 * MIB - 40 - 4 * 16);
});

test('missing and bad blocks come back from a replica, are logged, and stay', async () => {
  const kept = new Map<Cid, Uint8Array>();
  const asked: (readonly PeerIdText[])[] = [];
  const f = await fixture({
    replicas_: {
      async fetch(_root, cid, holders) {
        asked.push(holders);
        return kept.get(cid);
      },
    },
  });
  const plaintext = randomBytes(3 * MIB);
  const { recordId, cid } = await put(f.store, plaintext);
  const small = await put(f.store, Buffer.from('small'));
  for (const root of [cid, small.cid]) {
    for (const block of await f.store.blocks.links(root))
      kept.set(block, (await f.store.blocks.get(block)) ?? new Uint8Array(0));
  }
  await f.store.markReplicated(cid, 'peer-1' as PeerIdText);
  const links = await f.store.blocks.links(cid);
  await rm(blockPath(f.home, links[0] ?? ''));
  await writeFile(blockPath(f.home, links[2] ?? ''), randomBytes(MIB));
  assert.deepEqual(await get(f.store, recordId), plaintext);
  assert.deepEqual(asked, [['peer-1'], ['peer-1']]);
  assert.equal(f.audit.events.filter((event) => event.type === 'record.restore').length, 2);
  await inDatabase(f, async (db) => {
    for (const key of await keysOf(db, KIND.inlineBlock)) await db.put(key, randomBytes(80));
  });
  assert.equal((await get(f.store, small.recordId)).toString(), 'small');
  kept.clear();
  assert.deepEqual(await get(f.store, recordId), plaintext);
  assert.equal((await get(f.store, small.recordId)).toString(), 'small');
});

test('a lying replica restores nothing', async () => {
  const f = await fixture({ replicas_: { fetch: async () => randomBytes(100) } });
  const { recordId, cid } = await put(f.store, randomBytes(100_000));
  await rm(blockPath(f.home, cid));
  await assert.rejects(get(f.store, recordId), hasCode('STORE_BLOCK_MISSING'));
  assert.equal(await f.store.blocks.has(cid), false);
});

test('any altered byte of an index value is found', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('x'), { name: 'n' });
  for (const kind of [KIND.head, KIND.version, KIND.inlineBlock]) {
    let good: Buffer | undefined;
    for (const at of [0, 1, 17, 29, 45, -1]) {
      await inDatabase(f, async (db) => {
        const [key] = await keysOf(db, kind);
        assert(key);
        good ??= (await db.get(key)) as Buffer;
        const bad = Buffer.from(good);
        const index = at < 0 ? bad.length + at : at;
        bad[index] = (bad[index] ?? 0) ^ 4;
        await db.put(key, bad);
      });
      await assert.rejects(get(f.store, recordId), hasCode('STORE_INDEX_CORRUPT'), `kind ${kind} byte ${at}`);
      assert((await findings(f)).includes('STORE_INDEX_CORRUPT'));
    }
    await inDatabase(f, async (db) => {
      const [key] = await keysOf(db, kind);
      if (key !== undefined && good !== undefined) await db.put(key, good);
    });
    assert.equal((await get(f.store, recordId)).toString(), 'x');
  }
});

test('an index value moved to another key does not open', async () => {
  const f = await fixture();
  await put(f.store, Buffer.from('mine'));
  const { recordId } = await put(f.store, Buffer.from('theirs'));
  await inDatabase(f, async (db) => {
    const [a, b] = (await keysOf(db, KIND.version)) as [Buffer, Buffer];
    const [x, y] = [await db.get(a), await db.get(b)];
    await db.put(a, y as Buffer);
    await db.put(b, x as Buffer);
  });
  await assert.rejects(get(f.store, recordId), hasCode('STORE_INDEX_CORRUPT'));
});

test('removed index entries are found: head, version, and both with all that names them', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('x'));
  await put(f.store, Buffer.from('y'));
  const remove = (kinds: readonly number[]) =>
    inDatabase(f, async (db) => {
      for (const kind of kinds) for (const key of await keysOf(db, kind)) await db.del(key);
    });
  await remove([KIND.head]);
  await assert.rejects(get(f.store, recordId), hasCode('STORE_INDEX_CORRUPT'));
  await remove([KIND.version, KIND.listing, KIND.root]);
  await assert.rejects(get(f.store, recordId), hasCode('STORE_RECORD_NOT_FOUND'));
  const codes = await findings(f);
  assert(codes.includes('STORE_INDEX_CORRUPT'));
  assert.equal(codes.filter((code) => code === 'STORE_RECORD_UNACCOUNTED').length, 2);
});

test('planted canaries and the destroyed wrapped key are in no file', async () => {
  const f = await fixture();
  const canary = 'CANARY-jane-doe-1961';
  const body = Buffer.from(canary.repeat(8000));
  const kept = await put(f.store, body, { labels: [`${canary}-label`], name: `${canary}.txt` });
  await put(f.store, Buffer.from(canary), { recordId: kept.recordId, labels: [`${canary}-label`] });
  const doomed = await put(f.store, body, { labels: [`${canary}-label`] });
  let sealed: Buffer[] = [];
  const values = async (db: ClassicLevel<Buffer, Buffer>) => {
    const all: Buffer[] = [];
    for (const key of await keysOf(db, KIND.version)) all.push(Buffer.from((await db.get(key)) as Buffer));
    return all;
  };
  await inDatabase(f, async (db) => {
    sealed = await values(db);
  });
  await f.store.shred(doomed.recordId, context);
  await f.store.stop();
  const files = await Promise.all((await filesUnder(f.home)).map((path) => readFile(path)));
  for (const [i, bytes] of files.entries()) {
    assert.equal(bytes.includes(canary), false, `file ${i}`);
    assert.equal(bytes.includes(kept.recordId), false);
  }
  // Of three sealed version entries the two live ones are still found in the raw files, the destroyed one is not.
  const found = sealed.filter((value) => files.some((bytes) => bytes.includes(value.subarray(1, 200))));
  assert.deepEqual([sealed.length, found.length], [3, 2]);
  for (const path of await filesUnder(f.home)) assert.equal(path.includes(canary), false);
  await f.restart();
});

test('a blob opens for no other node id, even with all keys', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('bound to its node'));
  await f.store.stop();
  const other = await createFixture({ home: f.home, nodeId: '0'.repeat(32), keys: f.keys, audit: f.audit });
  await assert.rejects(get(other.store, recordId), hasCode('STORE_BLOB_CORRUPT'));
  await other.store.stop();
  await f.restart();
});
