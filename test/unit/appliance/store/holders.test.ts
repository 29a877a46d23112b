import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { Store } from '../../../../appliance/store/index.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { context, createFixture, type Fixture, type FixtureOptions, put, signal } from './store-fixture.ts';

const peer = (name: string): PeerIdText => `peer-${name}` as PeerIdText;
const open: Fixture[] = [];
afterEach(async () => {
  for (const f of open.splice(0)) await f.close();
});

async function fixture(options: FixtureOptions = {}): Promise<Fixture> {
  const f = await createFixture(options);
  open.push(f);
  return f;
}

/** Some records, each of them with these holders. */
async function replicated(store: Store, count: number, holders: readonly string[]) {
  const records = [];
  for (let n = 0; n < count; n += 1) {
    const record = await put(store, randomBytes(1000));
    for (const holder of holders) await store.markReplicated(record.cid, peer(holder));
    records.push(record);
  }
  return records;
}

const answer = (holder: string, root: Cid, outcome: 'proved' | 'absent' | 'false' | 'silent' | 'out') => ({
  holder: peer(holder),
  root,
  cid: root,
  outcome,
});
const stateOf = (store: Store, holder: string): string | undefined =>
  store.condition().holders.find((each) => each.holder === peer(holder))?.state;

/** Sweeps run behind the answers. */
async function queued(store: Store, count: number): Promise<Awaited<ReturnType<Store['underReplicated']>>> {
  for (let look = 0; ; look += 1) {
    const found = await store.underReplicated(1000);
    if (found.length === count) return found;
    assert.ok(look < 2_000, `${found.length} blobs in the queue, not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a holder that gave false bytes is off the record, which is queued again, and is not asked to hold it', async () => {
  const f = await fixture();
  const [record] = await replicated(f.store, 1, ['liar']);
  assert.ok(record);
  assert.deepEqual((await f.store.head(record.recordId, {}, context)).replicas, [peer('liar')]);
  assert.deepEqual(await f.store.underReplicated(10), []);
  const sha256 = 'ab'.repeat(32);
  await f.store.holderAnswered({ ...answer('liar', record.cid, 'false'), sha256 });
  assert.deepEqual((await f.store.head(record.recordId, {}, context)).replicas, []);
  const [waiting] = await queued(f.store, 1);
  assert.deepEqual(waiting?.holders, []);
  assert.deepEqual(waiting?.barred, [peer('liar')]);
  const leaf = f.audit.events.find(({ type }) => type === 'replica.fault');
  const { indexGeneration: _, ...detail } = leaf?.detail ?? {};
  assert.deepEqual(detail, { cid: record.cid, holder: peer('liar'), problem: 'false', sha256 });
  assert.equal(f.store.condition().holders[0]?.faults, 1);
  // The same once more is no second fault.
  await f.store.holderAnswered(answer('liar', record.cid, 'false'));
  assert.equal(f.store.condition().holders[0]?.faults, 1);
});

test('evidence that cannot be written down changes nothing', async () => {
  const f = await fixture();
  const [record] = await replicated(f.store, 1, ['liar']);
  assert.ok(record);
  f.audit.failNext = 'replica.fault';
  await assert.rejects(f.store.holderAnswered(answer('liar', record.cid, 'absent')));
  assert.deepEqual((await f.store.head(record.recordId, {}, context)).replicas, [peer('liar')]);
});

test('three false answers, and nothing is counted with that holder any more, over a restart too', async () => {
  const f = await fixture();
  const records = await replicated(f.store, 6, ['liar']);
  for (const { cid } of records.slice(0, 3)) await f.store.holderAnswered(answer('liar', cid, 'absent'));
  const waiting = await queued(f.store, 6);
  assert.ok(waiting.every(({ barred, former }) => barred.includes(peer('liar')) && former.includes(peer('liar'))));
  assert.equal(stateOf(f.store, 'liar'), 'distrusted');
  await f.restart();
  assert.equal(stateOf(f.store, 'liar'), 'distrusted');
  // It proves what it has, and stays distrusted.
  await f.store.holderAnswered(answer('liar', records[5]?.cid as Cid, 'proved'));
  assert.equal(stateOf(f.store, 'liar'), 'distrusted');
});

test('a holder that is silent is late first, lost when its time is over, and counts again when it proves', async () => {
  // The clock of the fixture goes on by a second at each look.
  const f = await fixture({ holderLateMs: 60_000, holderLostMs: 120_000 });
  const records = await replicated(f.store, 3, ['gone']);
  const root = records[0]?.cid as Cid;
  const states = new Set<string | undefined>();
  for (let asked = 0; asked < 200 && stateOf(f.store, 'gone') !== 'lost'; asked += 1) {
    await f.store.holderAnswered(answer('gone', root, 'silent'));
    states.add(stateOf(f.store, 'gone'));
  }
  assert.deepEqual([...states], ['good', 'late', 'lost']);
  const [first] = await queued(f.store, 3);
  assert.deepEqual(first?.former, [peer('gone')]);
  assert.deepEqual(first?.barred, []);
  await f.store.holderAnswered(answer('gone', root, 'proved'));
  assert.equal(stateOf(f.store, 'gone'), 'good');
  for (const { cid } of records) await f.store.markReplicated(cid, peer('gone'));
  await queued(f.store, 0);
});

test('a node that was away itself gives up nobody for that time', async () => {
  const f = await fixture({ holderLateMs: 5_000, holderLostMs: 10_000 });
  const [record] = await replicated(f.store, 1, ['other']);
  await f.store.holderAnswered(answer('other', record?.cid as Cid, 'silent'));
  // More than the whole time, in which nothing was asked.
  for (let look = 0; look < 30; look += 1) f.store.condition();
  await f.store.holderAnswered(answer('other', record?.cid as Cid, 'silent'));
  assert.equal(stateOf(f.store, 'other'), 'late');
});

test('an ejected holder is replaced, and read from all the same', async () => {
  const asked: (readonly PeerIdText[])[] = [];
  const f = await fixture({
    inlineMaxBytes: 0,
    replicas_: {
      async fetch(_root, _cid, holders) {
        asked.push(holders);
        return undefined;
      },
    },
  });
  const [record] = await replicated(f.store, 1, ['ejected']);
  assert.ok(record);
  await f.store.holderAnswered(answer('ejected', record.cid, 'out'));
  await queued(f.store, 1);
  await f.store.markReplicated(record.cid, peer('next'));
  await rm(join(f.home, 'store/blocks'), { recursive: true });
  await assert.rejects(async () => {
    const { body } = await f.store.open(record.recordId, {}, context, signal);
    for await (const _ of body);
  });
  assert.deepEqual(asked[0], [peer('next'), peer('ejected')]);
});

test('questions are about blocks of versions that have holders, and every holder gets one', async () => {
  const f = await fixture();
  const records = await replicated(f.store, 20, ['a']);
  await f.store.markReplicated(records[7]?.cid as Cid, peer('b'));
  const roots = new Set(records.map(({ cid }) => cid));
  const drawn = new Set<Cid>();
  for (let round = 0; round < 40; round += 1) {
    const questions = await f.store.holderQuestions(2);
    assert.ok(questions.some(({ holder }) => holder === peer('b')));
    for (const { root, holder } of questions) {
      assert.ok(roots.has(root));
      if (holder === peer('a')) drawn.add(root);
    }
  }
  assert.ok(drawn.size > 5, `${drawn.size} of 20 in 80 draws`);
});

test('a scrub that finds a version unreadable is not forgotten until one reads it', async () => {
  const f = await fixture({ inlineMaxBytes: 0 });
  await put(f.store, randomBytes(1000));
  await f.store.scrub(() => {});
  assert.equal(f.store.condition().unreadable?.versions, 0);
  const { cid } = await put(f.store, randomBytes(1000));
  const block = await f.store.blocks.get(cid);
  assert.ok(block);
  await rm(join(f.home, 'store/blocks'), { recursive: true });
  await f.store.scrub(() => {});
  assert.equal(f.store.condition().unreadable?.versions, 2);
  await f.restart();
  assert.equal(f.store.condition().unreadable?.versions, 2);
});
