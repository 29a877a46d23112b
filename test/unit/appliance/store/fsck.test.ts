import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { KIND } from '../../../../appliance/store/index-keys.ts';
import { hasCode } from '../../../compliance/store.ts';
import { context, createFixture, type Fixture, get, put } from './store-fixture.ts';

let open: Fixture[] = [];

async function fixture(): Promise<Fixture> {
  const made = await createFixture();
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const made of open) await made.close();
  open = [];
});

type Change = (db: ClassicLevel<Buffer, Buffer>, keys: (kind: number) => Promise<Buffer[]>) => Promise<void>;

/** Changes the raw database while the store is down. */
async function inDatabase(f: Fixture, change: Change): Promise<void> {
  await f.store.stop();
  const db = new ClassicLevel<Buffer, Buffer>(join(f.home, 'store/index'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false,
  });
  await change(db, async (kind) => {
    const keys: Buffer[] = [];
    for await (const key of db.keys({ gte: Buffer.of(kind), lt: Buffer.of(kind + 1) })) keys.push(Buffer.from(key));
    return keys;
  });
  await db.close();
  await f.start();
}

const fsck = (f: Fixture) => f.store.fsck({ accept: false, context }, () => undefined);
const listed = async (f: Fixture, label?: string) => {
  const page = await f.store.list({ limit: 100, ...(label === undefined ? {} : { label }) }, context);
  return { ids: page.records.map(({ recordId }) => recordId), damaged: page.damaged };
};

async function filled(f: Fixture) {
  const receipts = [];
  for (let i = 0; i < 5; i++) receipts.push(await put(f.store, Buffer.from(`record ${i}`), { labels: ['a'] }));
  return receipts.map(({ recordId }) => recordId);
}

for (const kind of [KIND.listing, KIND.head, KIND.version] as const) {
  test(`one bad value of kind ${kind} leaves the rest of a listing, and is told`, async () => {
    const f = await fixture();
    const ids = await filled(f);
    await inDatabase(f, async (db, keys) => {
      const [key] = await keys(kind);
      assert(key);
      await db.put(key, Buffer.alloc(150, 3));
    });
    const all = await listed(f);
    const ofLabel = await listed(f, 'a');
    // The bad listing entry is one of the two lists.
    assert.equal(Math.min(all.ids.length, ofLabel.ids.length), 4);
    assert.equal((all.damaged ?? 0) + (ofLabel.damaged ?? 0), kind === KIND.listing ? 1 : 2);
    assert.ok(f.store.condition().damaged >= 1);
    assert.ok(all.ids.every((id) => ids.includes(id)));
  });
}

test('a put after the counters broke takes the place of no other record', async () => {
  const f = await fixture();
  const ids = await filled(f);
  await inDatabase(f, async (db) => db.put(Buffer.of(KIND.stats), Buffer.alloc(90, 4)));
  const late = await put(f.store, Buffer.from('before any repair'));
  assert.deepEqual(new Set((await listed(f)).ids), new Set([...ids, late.recordId]));
});

test('heads, listings, references and counters are made again from the versions, in their order', async () => {
  const f = await fixture();
  const ids = await filled(f);
  await put(f.store, Buffer.from('second version'), { recordId: ids[1] as never, labels: ['b'] });
  await f.store.shred(ids[4] as never, context);
  const before = f.store.stats();
  const order = (await listed(f)).ids;
  await inDatabase(f, async (db, keys) => {
    for (const key of (await keys(KIND.head)).slice(0, 2)) await db.put(key, Buffer.alloc(90, 1));
    for (const kind of [KIND.root, KIND.unanchored]) for (const key of await keys(kind)) await db.del(key);
    const labelled = (await keys(KIND.listing)).slice(0, 2);
    for (const key of labelled) await db.put(key, Buffer.alloc(90, 2));
    await db.put(Buffer.of(KIND.stats), Buffer.alloc(90, 4));
  });
  const report = await fsck(f);
  assert.ok(report.rebuilt >= 10, JSON.stringify(report));
  assert.deepEqual([report.lostVersions, report.lost], [0, []]);
  assert.deepEqual(f.store.stats(), before);
  assert.deepEqual(new Set((await listed(f)).ids), new Set(order));
  assert.deepEqual((await listed(f, 'b')).ids, [ids[1]]);
  assert.equal((await get(f.store, ids[1] as never)).toString(), 'second version');
  assert.equal((await f.store.unanchored(10)).length, 5);
  await assert.rejects(get(f.store, ids[4] as never), hasCode('STORE_RECORD_SHREDDED'));
  assert.equal(f.store.condition().damaged, 0);
  assert.deepEqual((await f.store.scrub(() => undefined)).findings, []);
  assert.deepEqual((await fsck(f)).rebuilt, 0, 'a second run finds nothing to do');
});

test('a version whose value is gone is named as lost, and the others stay', async () => {
  const f = await fixture();
  const [first = ''] = await filled(f);
  await put(f.store, Buffer.from('two'), { recordId: first as never });
  await inDatabase(f, async (db, keys) => {
    const all = await keys(KIND.version);
    const of = all.find((key, i) => key.subarray(0, 33).equals(all[i + 1]?.subarray(0, 33) ?? Buffer.alloc(0)));
    assert(of);
    await db.put(of, Buffer.alloc(200, 9));
  });
  const report = await fsck(f);
  assert.deepEqual([report.lostVersions, report.lost], [1, [{ recordId: first, version: 1 }]]);
  assert.equal((await get(f.store, first as never)).toString(), 'two');
  await assert.rejects(get(f.store, first as never, { version: 1 }), hasCode('STORE_INDEX_CORRUPT'));
  assert.equal((await listed(f)).ids.length, 5);
});

test('version entries that were put back beside a tombstone are taken away again', async () => {
  const f = await fixture();
  const [doomed = ''] = await filled(f);
  const kept = new Map<string, Buffer>();
  await inDatabase(f, async (db, keys) => {
    for (const key of await keys(KIND.version)) kept.set(key.toString('hex'), (await db.get(key)) as Buffer);
  });
  await f.store.shred(doomed as never, context);
  await inDatabase(f, async (db) => {
    for (const [key, value] of kept) await db.put(Buffer.from(key, 'hex'), value);
  });
  await assert.rejects(get(f.store, doomed as never), hasCode('STORE_RECORD_SHREDDED'));
  assert.equal((await fsck(f)).removed, 1);
});
