import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import { declareRestored } from '../../../../appliance/store/declared-restore.ts';
import { KIND } from '../../../../appliance/store/index-keys.ts';
import { erased, hasCode } from '../../../compliance/store.ts';
import {
  context,
  createFixture,
  createTestKeys,
  type Fixture,
  type FixtureOptions,
  get,
  put,
} from './store-fixture.ts';

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

const indexOf = (f: Fixture): string => join(f.home, 'store/index');
const copyOf = (f: Fixture): string => join(f.home, 'copy');

async function putBack(f: Fixture): Promise<void> {
  await rm(indexOf(f), { recursive: true });
  await cp(copyOf(f), indexOf(f), { recursive: true });
}

/** A node with an older copy of its index beside it: since then a record was updated, one made, one destroyed, one both. */
async function aged(options?: FixtureOptions) {
  const f = await fixture(options);
  const updated = await put(f.store, Buffer.from('old'), { labels: ['a'] });
  const untouched = await put(f.store, Buffer.from('untouched'));
  const doomed = await put(f.store, Buffer.from('destroyed later'), { labels: ['a'] });
  await f.store.stop();
  await cp(indexOf(f), copyOf(f), { recursive: true });
  await f.start();
  await put(f.store, Buffer.from('new'), { recordId: updated.recordId });
  const made = await put(f.store, Buffer.from('made later'));
  const fleeting = await put(f.store, Buffer.from('made and destroyed'));
  const receipt = await f.store.shred(doomed.recordId, context);
  await f.store.shred(fleeting.recordId, context);
  return { f, updated, untouched, doomed, made, fleeting, receipt };
}

test('an older index put back destroys again what was destroyed, and says what it lacks', async () => {
  const { f, updated, untouched, doomed, made, fleeting, receipt } = await aged();
  await f.store.stop();
  await putBack(f);
  await f.start();
  await assert.rejects(get(f.store, doomed.recordId), hasCode('STORE_RECORD_SHREDDED'));
  await assert.rejects(get(f.store, fleeting.recordId), hasCode('STORE_RECORD_SHREDDED'));
  assert.deepEqual(await f.store.shred(doomed.recordId, context), receipt, 'the same receipt as before');
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'));
  await assert.rejects(get(f.store, updated.recordId), hasCode('STORE_RECORD_LOST'));
  assert.equal((await get(f.store, updated.recordId, { version: 1 })).toString(), 'old');
  assert.equal((await get(f.store, untouched.recordId)).toString(), 'untouched');
  await assert.rejects(put(f.store, Buffer.from('more')), hasCode('STORE_INDEX_BEHIND'));
  const { index } = f.store.condition();
  assert(index.state === 'behind');
  assert.deepEqual([index.missing, index.unknown], [2, 0]);
  assert.match(JSON.stringify(f.store.readiness()), /older copy.*2 versions are missing/);
  const said = f.audit.events.findLast(({ type }) => type === 'store.index');
  assert.deepEqual([said?.outcome, said?.detail?.state, said?.detail?.missing], ['failure', 'behind', 2]);
  const replays = f.audit.events.filter(
    ({ type, detail }) => type === 'record.delete' && detail?.replayed !== undefined,
  );
  assert.deepEqual(
    replays.map(({ recordId }) => recordId),
    [doomed.recordId, fleeting.recordId],
  );
});

test('the condition lasts through restarts, until an operator accepts it or the right index comes back', async () => {
  const { f, updated, made, untouched } = await aged();
  await f.store.stop();
  await cp(indexOf(f), join(f.home, 'newest'), { recursive: true });
  await putBack(f);
  await f.start();
  for (let i = 0; i < 2; i++) {
    assert.equal(f.store.condition().index.state, 'behind');
    await f.restart();
  }
  await f.store.shred(untouched.recordId, context);
  await f.store.stop();
  await rm(indexOf(f), { recursive: true });
  await cp(join(f.home, 'newest'), indexOf(f), { recursive: true });
  await f.start();
  assert.deepEqual(f.store.condition().index, { state: 'fresh' });
  assert.equal((await get(f.store, made.recordId)).toString(), 'made later');
  assert.equal((await get(f.store, updated.recordId)).toString(), 'new');
  await assert.rejects(
    get(f.store, untouched.recordId),
    hasCode('STORE_RECORD_SHREDDED'),
    'destroyed on the old index',
  );

  await f.store.stop();
  await putBack(f);
  await f.start();
  const report = await f.store.fsck({ accept: true, context }, () => undefined);
  assert.deepEqual([report.accepted, report.lostVersions], [true, 2]);
  assert.deepEqual(f.store.condition().index, { state: 'fresh' });
  await f.restart();
  assert.deepEqual(f.store.readiness(), { ready: true });
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'), 'what is lost stays named as lost');
  assert.equal((await get(f.store, updated.recordId)).toString(), 'old');
  assert.equal((await put(f.store, Buffer.from('newer'), { recordId: updated.recordId })).version, 2);
});

test('a crash at any moment is no false alarm', async () => {
  const f = await fixture();
  await put(f.store, Buffer.from('one'));
  // Between leaf and commit: the leaf is there, its put is not.
  const { length } = f.audit.events;
  const attempt = { type: 'record.create', outcome: 'success', context, version: 1 } as const;
  await f.store.stop();
  f.audit.events.splice(length);
  await f.audit.append({
    ...attempt,
    recordId: 'ab'.repeat(16) as never,
    detail: { cid: 'bafkx', indexGeneration: 1 },
  });
  await f.start();
  assert.deepEqual([f.store.condition().index, f.store.condition().cutOff], [{ state: 'fresh' }, 1]);
  await put(f.store, Buffer.from('two'));
  assert.deepEqual(f.store.readiness(), { ready: true });
});

test('a deletion whose tombstone a crash took is made again, with the receipt that was given', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('doomed'));
  await f.store.stop();
  await cp(indexOf(f), copyOf(f), { recursive: true });
  await f.start();
  const receipt = await f.store.shred(recordId, context);
  await f.store.stop();
  // As if the machine had lost power right behind the answer: the log has the leaf, the index has nothing of it.
  f.audit.events.splice(receipt.auditLeaf + 1);
  await putBack(f);
  await f.start();
  assert.deepEqual(f.store.condition().index, { state: 'fresh' });
  assert.deepEqual(await f.store.shred(recordId, context), receipt);
});

test('a deletion that its caller was told had failed is not made behind his back', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('kept'));
  await f.store.stop();
  const event = { type: 'record.delete', context, recordId, detail: {} } as const;
  await f.audit.append({ ...event, outcome: 'success' });
  await f.audit.append({ ...event, outcome: 'failure' });
  await f.start();
  assert.equal((await get(f.store, recordId)).toString(), 'kept');
});

test('a log put back to an older copy: nothing private is served or appended, until the right one is back', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('x'));
  await get(f.store, recordId);
  await put(f.store, Buffer.from('y'));
  await f.store.stop();
  const later = f.audit.events.splice(2);
  await f.start();
  assert.equal(f.store.condition().index.state, 'ahead');
  const refused = hasCode('STORE_INDEX_AHEAD');
  await assert.rejects(get(f.store, recordId), refused);
  await assert.rejects(put(f.store, Buffer.from('z')), refused);
  await assert.rejects(f.store.shred(recordId, context), refused);
  await assert.rejects(f.store.list({ limit: 1 }, context), refused);
  assert.match(JSON.stringify(f.store.readiness()), /which is not in the log/);
  await f.store.stop();
  assert.equal(f.audit.events.length, 2, 'nothing was appended');
  f.audit.events.push(...later);
  await f.start();
  assert.deepEqual(f.store.condition().index, { state: 'fresh' });
  await f.store.stop();
  f.audit.events.splice(2);
  await f.start();
  await f.store.fsck({ accept: true, context }, () => undefined);
  assert.equal((await get(f.store, recordId)).toString(), 'x');
  await f.restart();
  assert.deepEqual(f.store.readiness(), { ready: true });
});

test('a log exchanged under a running store is noticed at the next leaf', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.from('x'));
  await get(f.store, recordId);
  f.audit.events.splice(0);
  await assert.rejects(get(f.store, recordId), hasCode('STORE_INDEX_AHEAD'));
  await assert.rejects(put(f.store, Buffer.from('z')), hasCode('STORE_INDEX_AHEAD'));
  assert.equal(f.store.readiness().ready, false);
});

test('a deletion whose record the log no longer names ends all reading of an older index', async () => {
  const { f, untouched } = await aged();
  await f.store.stop();
  for (const [i, event] of f.audit.events.entries()) {
    const { recordId: _, detail: __, ...erasedBody } = event;
    if (event.type === 'record.delete') f.audit.events[i] = erasedBody;
  }
  await putBack(f);
  await f.start();
  await assert.rejects(get(f.store, untouched.recordId), hasCode('STORE_INDEX_BEHIND'));
  await assert.rejects(f.store.list({ limit: 1 }, context), hasCode('STORE_INDEX_BEHIND'));
});

/** Each part of store/, and what becomes of it when it is older, altered, gone, or newer than the log. */
const PARTS = {
  'older index': { state: 'behind', change: putBack },
  'missing index': { state: 'behind', change: (f: Fixture) => rm(indexOf(f), { recursive: true }) },
  'index newer than the log': { state: 'ahead', change: async (f: Fixture) => void f.audit.events.splice(4) },
  'altered counters': { state: 'fresh', change: (f: Fixture) => alter(f, KIND.stats) },
  'altered condition': { state: 'fresh', change: (f: Fixture) => alter(f, KIND.condition) },
  'missing CURRENT': { state: 'fresh', change: (f: Fixture) => rm(join(indexOf(f), 'CURRENT')) },
  'missing blocks': { state: 'fresh', change: (f: Fixture) => rm(join(f.home, 'store/blocks'), { recursive: true }) },
  'missing staging': { state: 'fresh', change: (f: Fixture) => rm(join(f.home, 'store/staging'), { recursive: true }) },
  'missing held': { state: 'fresh', change: (f: Fixture) => rm(join(f.home, 'store/held'), { recursive: true }) },
  'foreign file in staging': {
    state: 'fresh',
    change: (f: Fixture) => writeFile(join(f.home, 'store/staging/x'), 'x'),
  },
} as const;

async function alter(f: Fixture, kind: number): Promise<void> {
  const db = new ClassicLevel<Buffer, Buffer>(indexOf(f), { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await db.put(Buffer.of(kind), Buffer.alloc(120, 7));
  await db.close();
}

for (const [name, { state, change }] of Object.entries(PARTS)) {
  test(`store/: ${name} is ${state}, and what was destroyed stays so`, async () => {
    const { f, doomed, untouched } = await aged();
    await f.store.stop();
    await change(f);
    await f.start();
    assert.equal(f.store.condition().index.state, state);
    const code = state === 'ahead' ? 'STORE_INDEX_AHEAD' : 'STORE_RECORD_SHREDDED';
    await assert.rejects(get(f.store, doomed.recordId), hasCode(code));
    if (state === 'fresh') assert.equal((await get(f.store, untouched.recordId)).toString(), 'untouched');
    assert.equal(f.store.readiness().ready, state === 'fresh');
  });
}

test('a file of the index with one byte changed is never a silent loss', async () => {
  const { f, doomed, untouched } = await aged();
  await f.store.stop();
  const files = (await readdir(indexOf(f))).filter((name) => !/^(LOCK|LOG.*)$/.test(name));
  assert(files.length >= 3);
  await cp(indexOf(f), join(f.home, 'newest'), { recursive: true });
  for (const name of files) {
    const path = join(indexOf(f), name);
    const bytes = await readFile(path);
    for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
      const bad = Buffer.from(bytes);
      bad[at] = (bad[at] ?? 0) ^ 1;
      await writeFile(path, bad);
      try {
        await f.start();
        await assert.rejects(get(f.store, doomed.recordId));
        if (f.store.readiness().ready) {
          const read = await get(f.store, untouched.recordId).catch(hasCode('STORE_INDEX_CORRUPT'));
          if (read !== true) assert.equal(read.toString(), 'untouched');
        }
      } catch (error) {
        assert(hasCode('STORE_INDEX_CORRUPT')(error), `${name} byte ${at}`);
      }
      await f.store.stop();
      await rm(indexOf(f), { recursive: true });
      await mkdir(indexOf(f));
      await cp(join(f.home, 'newest'), indexOf(f), { recursive: true });
    }
  }
  await f.start();
});

test('a restart goes on with what a deletion left to do', async () => {
  const f = await fixture();
  const { recordId } = await put(f.store, Buffer.alloc(200_000, 1));
  await f.store.shred(recordId, context);
  assert.equal(f.store.condition().pendingErasures, 1);
  await f.restart();
  await erased(f.store);
  const blocks = await readdir(join(f.home, 'store/blocks'), { recursive: true });
  assert.deepEqual(
    blocks.filter((name) => name.length > 40),
    [],
  );
});

/** What a restore writes into the index that it has put in place. */
async function declare(f: Fixture, { keys = f.keys, leaves = f.audit.events.length } = {}): Promise<void> {
  const made = { backupCreatedAt: '2026-01-01T00:00:00.000Z', manifestSha256: 'ab'.repeat(32) };
  const random = (length: number) => new Uint8Array(randomBytes(length));
  const options = { folder: indexOf(f), indexKey: keys.derive('index'), crypto, randomBytes: random };
  await declareRestored(options, { leaves, known: 0, ...made });
}

test('a declared restore is accepted at the next start: named as lost, destroyed again, on record, and ready', async () => {
  const { f, updated, doomed, made, fleeting, receipt } = await aged();
  await f.store.stop();
  await putBack(f);
  await declare(f);
  // Cut off before the declaration is used up: the next start does it.
  f.audit.failNext = 'store.index';
  await assert.rejects(f.start());
  await f.start();
  assert.deepEqual(f.store.readiness(), { ready: true });
  assert.deepEqual(f.store.condition().restored, { backupCreatedAt: '2026-01-01T00:00:00.000Z', missing: 2 });
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'));
  assert.equal((await get(f.store, updated.recordId)).toString(), 'old');
  assert.deepEqual(await f.store.shred(doomed.recordId, context), receipt);
  await assert.rejects(get(f.store, fleeting.recordId), hasCode('STORE_RECORD_SHREDDED'));
  const said = f.audit.events.findLast(({ type, detail }) => type === 'store.index' && detail?.state === 'restored');
  assert.deepEqual([said?.outcome, said?.detail?.missing, said?.detail?.deletions], ['success', 2, 2]);
  assert.equal((await put(f.store, Buffer.from('newer'), { recordId: updated.recordId })).version, 2);
  await f.restart();
  assert.deepEqual([f.store.readiness(), f.store.condition().restored], [{ ready: true }, undefined]);
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'));
});

const REFUSED: Record<string, (f: Fixture) => Promise<void>> = {
  'made with another key': (f) => declare(f, { keys: createTestKeys() }),
  'of a log that has gone on since': (f) => declare(f, { leaves: 4 }),
  'of a log that was longer': (f) => declare(f, { leaves: f.audit.events.length + 1 }),
  'taken out of a newer index': async (f) => {
    await rm(indexOf(f), { recursive: true });
    await cp(join(f.home, 'newest'), indexOf(f), { recursive: true });
    await declare(f);
    const entry = await valueAt(f, KIND.restored);
    await putBack(f);
    await valueAt(f, KIND.restored, entry);
  },
};

async function valueAt(f: Fixture, kind: number, value?: Buffer): Promise<Buffer | undefined> {
  const db = new ClassicLevel<Buffer, Buffer>(indexOf(f), { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  try {
    if (value !== undefined) await db.put(Buffer.of(kind), value);
    return await db.get(Buffer.of(kind));
  } finally {
    await db.close();
  }
}

for (const [name, change] of Object.entries(REFUSED)) {
  test(`an older index is not accepted by a declaration ${name}`, async () => {
    const { f } = await aged();
    await f.store.stop();
    await cp(indexOf(f), join(f.home, 'newest'), { recursive: true });
    await putBack(f);
    await change(f);
    await f.start();
    assert.equal(f.store.condition().index.state, 'behind');
    await assert.rejects(put(f.store, Buffer.from('more')), hasCode('STORE_INDEX_BEHIND'));
  });
}
