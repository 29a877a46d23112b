import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, test } from 'node:test';
import type { PendingRelease, Store } from '../../../../appliance/store/index.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { erased } from '../../../compliance/store.ts';
import { context, createFixture, type Fixture, type FixtureOptions, put } from './store-fixture.ts';

const [A, B] = ['peer-a', 'peer-b'] as [PeerIdText, PeerIdText];
const receipt = { nonce: 'ab'.repeat(32), epoch: 20_000, bytes: 9, signature: 'c2ln' };
const open: Fixture[] = [];
afterEach(async () => {
  for (const f of open.splice(0)) await f.close();
});

async function fixture(options: FixtureOptions = {}): Promise<Fixture> {
  const f = await createFixture(options);
  open.push(f);
  return f;
}

/** A record that was destroyed while these had a copy. */
async function destroyed(store: Store, holders: readonly PeerIdText[]): Promise<Cid> {
  const { recordId, cid } = await put(store, randomBytes(1_000));
  for (const holder of holders) await store.markReplicated(cid, holder);
  await store.shred(recordId, context);
  await erased(store);
  return cid;
}

const byHolder = (pending: readonly PendingRelease[]): Record<string, number> =>
  Object.fromEntries(pending.map(({ holder, roots }) => [holder, roots.length]));

test('each holder of a destroyed record is to be told until its receipt is in the log, over restarts', async () => {
  const f = await fixture();
  const cid = await destroyed(f.store, [A, B]);
  assert.equal(f.store.condition().releases.pending, 2);
  await f.restart();
  assert.equal(f.store.condition().releases.pending, 2);
  assert.ok((f.store.condition().releases.oldestMs ?? 0) > 0);
  assert.deepEqual(byHolder(await f.store.pendingReleases(10)), { [A]: 1, [B]: 1 });
  await f.store.released({ holder: A, roots: [cid], receipt });
  const leaf = f.audit.events.find(({ type }) => type === 'replica.release');
  const { indexGeneration: _, ...detail } = leaf?.detail ?? {};
  const { signature, ...said } = receipt;
  assert.deepEqual([leaf?.outcome, detail], ['success', { holder: A, ids: cid, ...said, receipt: signature }]);
  await f.restart();
  assert.deepEqual(await f.store.pendingReleases(10), [{ holder: B, roots: [cid] }]);
  await f.store.released({ holder: B, roots: [cid], receipt });
  assert.deepEqual(f.store.condition().releases, { pending: 0 });
  assert.deepEqual(await f.store.pendingReleases(10), []);
});

test('a receipt that cannot be written down changes nothing, and one for what nobody waits for is not written', async () => {
  const f = await fixture();
  const cid = await destroyed(f.store, [A]);
  f.audit.failNext = 'replica.release';
  await assert.rejects(f.store.released({ holder: A, roots: [cid], receipt }));
  assert.equal(f.store.condition().releases.pending, 1);
  await f.store.released({ holder: B, roots: [cid], receipt });
  await f.store.released({ holder: A, roots: ['another' as Cid], receipt });
  assert.equal(
    f.audit.events.some(({ type }) => type === 'replica.release'),
    false,
  );
  assert.equal(f.store.condition().releases.pending, 1);
});

test('a receipt covers 64 blobs, the oldest first, and what came meanwhile stays', async () => {
  const f = await fixture();
  const records = [];
  for (let n = 0; n < 70; n += 1) records.push(await put(f.store, randomBytes(100)));
  for (const { cid } of records) await f.store.markReplicated(cid, A);
  for (const { recordId } of records) await f.store.shred(recordId, context);
  await erased(f.store);
  const [first] = await f.store.pendingReleases(10);
  assert.equal(first?.roots.length, 64);
  await f.store.released({ holder: A, roots: first?.roots ?? [], receipt });
  const [second] = await f.store.pendingReleases(10);
  const told = [...(first?.roots ?? []), ...(second?.roots ?? [])];
  assert.deepEqual(told.toSorted(), records.map(({ cid }) => cid).toSorted());
  assert.equal(f.store.condition().releases.pending, 6);
});

test('holders take turns: one that never answers hides nobody', async () => {
  const f = await fixture();
  const names = ['p1', 'p2', 'p3'] as PeerIdText[];
  await destroyed(f.store, names);
  const turns = [];
  for (let n = 0; n < 6; n += 1) turns.push((await f.store.pendingReleases(1))[0]?.holder);
  assert.deepEqual(turns.slice(0, 3).toSorted(), names);
  assert.deepEqual(turns.slice(3), turns.slice(0, 3));
});

test('a copy that arrives when its record is destroyed already is to be released', async () => {
  const f = await fixture();
  const { recordId, cid } = await put(f.store, randomBytes(1_000));
  await f.store.shred(recordId, context);
  await erased(f.store);
  await f.store.markReplicated(cid, A);
  assert.deepEqual(await f.store.pendingReleases(10), [{ holder: A, roots: [cid] }]);
});

test('who counts no more is told as well', async () => {
  const f = await fixture();
  const { recordId, cid } = await put(f.store, randomBytes(1_000));
  await f.store.markReplicated(cid, A);
  await f.store.holderAnswered({ holder: A, root: cid, cid, outcome: 'absent' });
  await f.store.shred(recordId, context);
  await erased(f.store);
  assert.deepEqual(await f.store.pendingReleases(10), [{ holder: A, roots: [cid] }]);
});

test('a holder that never came back is given up when its time is over, on record', async () => {
  const f = await fixture({ releaseMaxAgeMs: 60_000 });
  const cid = await destroyed(f.store, [A]);
  assert.equal((await f.store.pendingReleases(10)).length, 1);
  f.pass(70_000);
  f.audit.failNext = 'replica.release';
  await assert.rejects(f.store.pendingReleases(10));
  assert.equal(f.store.condition().releases.pending, 1);
  assert.deepEqual(await f.store.pendingReleases(10), []);
  const leaf = f.audit.events.findLast(({ type }) => type === 'replica.release');
  const { indexGeneration: _, ...detail } = leaf?.detail ?? {};
  assert.deepEqual([leaf?.outcome, detail], ['failure', { holder: A, ids: cid, problem: 'no receipt' }]);
  assert.deepEqual(f.store.condition().releases, { pending: 0 });
});
