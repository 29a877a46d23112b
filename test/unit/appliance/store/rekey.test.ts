import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RekeyState, Store } from '../../../../appliance/store/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import {
  context,
  createFixture,
  type Fixture,
  type FixtureOptions,
  get,
  put,
  readAll,
  signal,
} from './store-fixture.ts';

const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));
const LARGE = 3 * 1024 * 1024;

/** Sealing every record under new keys. */
describe('rekey', () => {
  let f: Fixture;
  afterEach(() => f.close());

  const open = async (options: FixtureOptions = {}): Promise<void> => {
    f = await createFixture({ replicas: 0, ...options });
  };
  /** So many small records, and one in blocks of its own. */
  const fill = async (count: number): Promise<Map<RecordId, Buffer>> => {
    const made = new Map<RecordId, Buffer>();
    for (let i = 0; i < count; i++) {
      const bytes = i === 0 ? randomBytes(LARGE) : randomBytes(i * 7);
      made.set((await put(f.store, bytes, { labels: ['study=1'] })).recordId, bytes);
    }
    return made;
  };
  const begin = (load = 100): Promise<RekeyState> => {
    f.keys.rotate();
    return f.store.rekey({ target: f.keys.current(), load }, context);
  };
  const until = async (is: (state: RekeyState) => boolean, store: Store = f.store): Promise<RekeyState> => {
    for (;;) {
      const state = store.condition().rekey;
      if (state !== undefined && is(state)) return state;
      await sleep(5);
    }
  };
  const ended = (): Promise<RekeyState> => until(({ state }) => state !== 'running');
  const phases = () =>
    f.audit.events
      .filter(({ type }) => type === 'key.rekey')
      .map(({ outcome, detail }) => `${outcome} ${detail?.phase}`);
  const reads = async (made: ReadonlyMap<RecordId, Buffer>): Promise<void> => {
    for (const [id, bytes] of made) assert.deepEqual(await get(f.store, id), bytes);
  };

  it('gives every version a new key and new ciphertext, keeps what it is, and ends the old KEK', async () => {
    await open();
    const made = await fill(6);
    const [first = assert.fail()] = made.keys();
    const two = await put(f.store, Buffer.from('second version'), { recordId: first, labels: ['study=1'] });
    const before = await f.store.list({ limit: 100 }, context);
    await begin();
    assert.deepEqual(
      { ...(await ended()), startedAt: '', endedAt: '' },
      {
        ...{ state: 'done', target: 'kek/2', load: 100, total: 7, done: 7, failed: 0, startedAt: '', endedAt: '' },
        bytes: [...made.values()].reduce((sum, { length }) => sum + length, 'second version'.length),
      },
    );
    const after = await f.store.list({ limit: 100 }, context);
    for (const [at, old] of before.records.entries()) {
      const now = after.records[at] ?? assert.fail();
      assert.notEqual(now.cid, old.cid);
      assert.deepEqual(now, { ...old, cid: now.cid, kekId: 'kek/2' });
    }
    assert.deepEqual(await get(f.store, first), Buffer.from('second version'));
    assert.deepEqual(await get(f.store, first, { version: 1 }), made.get(first));
    made.delete(first);
    await reads(made);
    assert.deepEqual(f.keys.destroyed(), ['kek/1']);
    assert.deepEqual(phases(), ['success started', 'success retiring', 'success done']);
    assert.ok(f.audit.events.some(({ type, detail }) => type === 'record.rekey' && detail?.replaces === two.cid));
    const last = f.audit.events.findLast(({ type }) => type === 'key.rekey')?.detail ?? assert.fail();
    assert.deepEqual([last.destroyed, last.file, last.indexGeneration], ['kek/1', 'keys', undefined]);
    const report = await f.store.scrub(() => undefined);
    assert.deepEqual(report.findings, []);
  });

  it('goes on by itself after a restart half-way, from what the versions themselves say', async () => {
    await open();
    const made = await fill(60);
    await begin(20);
    await until(({ done }) => done >= 16);
    const store = await f.restart();
    assert.equal(store.condition().rekey?.state, 'running');
    await store.rekey({ load: 100 }, context);
    assert.equal((await ended()).state, 'done');
    await reads(made);
    assert.deepEqual(f.keys.destroyed(), ['kek/1']);
    assert.equal(phases().filter((phase) => phase === 'success resumed').length, 1);
    assert.deepEqual((await store.scrub(() => undefined)).findings, []);
  });

  it('stops and goes on as it is told, over a restart', async () => {
    await open();
    const made = await fill(60);
    await begin(20);
    await until(({ done }) => done >= 16);
    const paused = await f.store.pauseRekey(context);
    assert.equal(paused.state, 'paused');
    assert.ok(paused.done < paused.total);
    await f.restart();
    assert.equal(f.store.condition().rekey?.state, 'paused');
    assert.deepEqual(f.keys.destroyed(), []);
    await reads(made);
    assert.equal((await f.store.rekey({ load: 100 }, context)).state, 'running');
    assert.equal((await ended()).state, 'done');
    assert.deepEqual(phases(), [
      ...['success started', 'success paused', 'success resumed', 'success retiring', 'success done'],
    ]);
    await reads(made);
  });

  it('serves while it works: reads that began before, puts and deletions', async () => {
    await open();
    const made = await fill(30);
    const [large = assert.fail(), doomed = assert.fail()] = made.keys();
    const reading = await f.store.open(large, {}, context, signal);
    await begin(50);
    const put2 = await put(f.store, Buffer.from('meanwhile'));
    await f.store.shred(doomed, context);
    assert.equal((await ended()).state, 'done');
    assert.deepEqual(await readAll(reading.body), made.get(large));
    assert.deepEqual(await get(f.store, put2.recordId), Buffer.from('meanwhile'));
    await assert.rejects(get(f.store, doomed), code('STORE_RECORD_SHREDDED'));
    made.delete(doomed);
    await reads(made);
    assert.deepEqual((await f.store.scrub(() => undefined)).findings, []);
  });

  it('replaced ciphertext leaves the disk, but not while a backup keeps it', async () => {
    await open({ inlineMaxBytes: 0 });
    const made = await fill(4);
    const blocks = async () =>
      (await readdir(join(f.home, 'store', 'blocks'), { recursive: true })).filter((name) => name.includes('/'));
    const old = await blocks();
    await f.store.keepReplaced(600_000);
    await begin();
    await ended();
    assert.ok(old.every((name) => name !== ''));
    const both = await blocks();
    assert.ok(
      old.every((name) => both.includes(name)),
      'kept for the backup',
    );
    await reads(made);
  });

  it('a version that does not open stops none of the others; the old KEK is kept, and it says so', async () => {
    await open();
    const made = await fill(5);
    const [large = assert.fail()] = made.keys();
    const { cid } = await f.store.head(large, {}, context);
    const [block = assert.fail()] = await f.store.blocks.links(cid);
    const path = join(f.home, 'store', 'blocks', block.slice(-2, -1), block);
    await writeFile(path, randomBytes(100));
    await begin();
    const state = await ended();
    assert.deepEqual([state.state, state.failed, state.done, state.total], ['incomplete', 1, 4, 5]);
    assert.deepEqual(f.keys.destroyed(), []);
    assert.deepEqual(phases(), ['success started', 'failure incomplete']);
    // Once it is destroyed (or brought back) the same rekey ends.
    await f.store.shred(large, context);
    await f.store.rekey({ load: 100 }, context);
    assert.equal((await ended()).state, 'done');
    assert.deepEqual(f.keys.destroyed(), ['kek/1']);
  });

  for (const type of ['record.rekey', 'key.rekey'] as const) {
    it(`a log that takes no ${type} half-way stops it with evidence, and it goes on when told`, async () => {
      await open();
      const made = await fill(3);
      if (type === 'record.rekey') f.audit.failNext = type;
      await begin();
      if (type === 'key.rekey') f.audit.failNext = type;
      const state = await ended();
      assert.deepEqual([state.state, state.reason], ['failed', 'AUDIT_NOT_WRITABLE']);
      assert.deepEqual(f.keys.destroyed(), []);
      assert.equal(phases().at(-1), 'failure failed');
      await reads(made);
      await f.restart();
      assert.equal(f.store.condition().rekey?.state, 'failed');
      await f.store.rekey({ load: 100 }, context);
      assert.equal((await ended()).state, 'done');
      await reads(made);
      assert.deepEqual((await f.store.scrub(() => undefined)).findings, []);
    });
  }

  it('nothing begins that the log does not hold, and nothing goes on that never began', async () => {
    await open();
    await fill(2);
    f.keys.rotate();
    f.audit.failNext = 'key.rekey';
    await assert.rejects(f.store.rekey({ target: 'kek/2', load: 100 }, context), code('AUDIT_NOT_WRITABLE'));
    await assert.rejects(f.store.rekey({ load: 100 }, context), code('STORE_REKEY_ABSENT'));
    await assert.rejects(f.store.pauseRekey(context), code('STORE_REKEY_ABSENT'));
    assert.equal(f.store.condition().rekey, undefined);
  });

  it('a rotation meanwhile loses no progress, and no key that is needed', async () => {
    await open();
    const made = await fill(60);
    await begin(20);
    await until(({ done }) => done >= 16);
    f.keys.rotate();
    await f.store.rewrap(() => undefined, context);
    await f.store.rekey({ load: 100 }, context);
    assert.equal((await ended()).state, 'done');
    assert.deepEqual(f.keys.destroyed(), ['kek/1']);
    await reads(made);
    for (const { kekId } of (await f.store.list({ limit: 100 }, context)).records) assert.equal(kekId, 'kek/3');
  });

  it('an index of before it, put back, is behind: what it has opens no more', async () => {
    await open();
    const made = await fill(3);
    await f.store.stop();
    const { cp } = await import('node:fs/promises');
    await cp(join(f.home, 'store', 'index'), join(f.home, 'older'), { recursive: true });
    await f.start();
    await begin();
    await ended();
    await f.store.stop();
    await rm(join(f.home, 'store', 'index'), { recursive: true });
    await cp(join(f.home, 'older'), join(f.home, 'store', 'index'), { recursive: true });
    await f.start();
    const { index } = f.store.condition();
    assert.deepEqual([index.state, index.state === 'behind' && index.missing], ['behind', made.size]);
  });

  it('what was on its way to the chain says nothing of new ciphertext', async () => {
    await open();
    const { recordId, version } = await put(f.store, Buffer.from('x'));
    const [old] = await f.store.unanchored(10);
    await begin();
    await ended();
    assert.ok(old !== undefined);
    await f.store.markAnchored([old], { root: 'aa', batchId: 'aa' });
    const [fresh] = await f.store.unanchored(10);
    assert.ok(fresh !== undefined && !Buffer.from(fresh.commitment).equals(old.commitment));
    assert.equal((await f.store.head(recordId, {}, context)).anchored, false);
    await f.store.markAnchored([{ recordId, version, commitment: fresh.commitment }], { root: 'bb', batchId: 'bb' });
    assert.deepEqual(await f.store.unanchored(10), []);
    assert.equal((await f.store.head(recordId, {}, context)).anchored, true);
  });

  it('an upload that is no record yet goes on over it, with its key under the new KEK', async () => {
    await open();
    const bytes = randomBytes(50_000);
    const input = { contentType: 'a/b', labels: [] };
    const { id } = await f.store.uploads.begin({ input, bytes: bytes.length }, context);
    const half = (from: number, to: number) =>
      (async function* () {
        yield bytes.subarray(from, to);
      })();
    await f.store.uploads.append(id, { offset: 0, body: half(0, 20_000) }, context, signal);
    await begin();
    assert.equal((await ended()).state, 'done');
    await f.restart();
    const done = await f.store.uploads.append(id, { offset: 20_000, body: half(20_000, 50_000) }, context, signal);
    assert.deepEqual(await get(f.store, done.receipt?.recordId ?? assert.fail()), bytes);
  });
});
