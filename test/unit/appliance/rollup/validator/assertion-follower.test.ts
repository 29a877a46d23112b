import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childrenOf } from '../../../../../appliance/rollup/validator/assertion-book.ts';
import { created, createL1Double, ROOT, truth, word } from './validator-double.ts';

const signal = new AbortController().signal;
const A = word('a1');
const B = word('b1');
const C = word('c1');
const statusOf = (follower: ReturnType<ReturnType<typeof createL1Double>['follower']>) =>
  [...follower.book().assertions.values()].map(({ nodeId, status }) => [nodeId, status]);

test('keeps the latest confirmed assertion and what follows it; what it passed is gone', async () => {
  const l1 = createL1Double();
  const follower = l1.follower();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  l1.mine(created(A, ROOT, truth(1n)), created(B, ROOT, { ...truth(1n), blockHash: word('66') }));
  l1.mine(created(C, A, truth(2n)));
  assert.equal(await follower.advance(signal), true);
  assert.deepEqual(statusOf(follower), [
    [ROOT, 'confirmed'],
    [A, 'live'],
    [B, 'live'],
    [C, 'live'],
  ]);
  l1.mine({ kind: 'died', nodeId: B });
  l1.mine({ kind: 'confirmed', nodeId: A });
  await follower.advance(signal);
  assert.deepEqual(statusOf(follower), [
    [A, 'confirmed'],
    [C, 'live'],
  ]);
  assert.deepEqual(
    childrenOf(follower.book(), A).map(({ nodeId }) => nodeId),
    [C],
  );
});

test('an assertion that died lives again when it is made again', async () => {
  const l1 = createL1Double();
  const follower = l1.follower();
  l1.mine({ kind: 'confirmed', nodeId: ROOT }, created(A, ROOT, truth(1n)), { kind: 'died', nodeId: A });
  l1.mine(created(A, ROOT, truth(1n), 7n));
  await follower.advance(signal);
  assert.equal(follower.book().assertions.get(A)?.status, 'live');
});

test('a reorg of L1 takes back exactly what it took', async () => {
  const l1 = createL1Double();
  const follower = l1.follower();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  l1.mine(created(A, ROOT, truth(1n)));
  l1.mine({ kind: 'confirmed', nodeId: A });
  l1.mine(created(B, A, truth(2n)));
  l1.state.finalized = 2n;
  await follower.advance(signal);
  assert.equal(follower.book().latestConfirmed, A);
  l1.reorg(3);
  l1.mine(created(C, ROOT, truth(1n)));
  l1.mine();
  assert.equal(await follower.advance(signal), true);
  assert.equal(follower.book().latestConfirmed, ROOT);
  assert.deepEqual(statusOf(follower), [
    [ROOT, 'confirmed'],
    [A, 'live'],
    [C, 'live'],
  ]);
});

test('a restart reads again only what is not final', async () => {
  const l1 = createL1Double();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  for (let i = 0; i < 40; i += 1) l1.mine();
  l1.mine(created(A, ROOT, truth(1n)));
  for (let i = 0; i < 5; i += 1) l1.mine();
  l1.state.finalized = 42n;
  await l1.follower().advance(signal);
  const before = l1.state.reads;
  const again = l1.follower();
  await again.advance(signal);
  assert.equal(l1.state.reads - before, 5);
  assert.deepEqual(statusOf(again), [
    [ROOT, 'confirmed'],
    [A, 'live'],
  ]);
});

test('an L1 whose finality was taken back is read anew from the contracts on', async () => {
  const l1 = createL1Double();
  const follower = l1.follower();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  l1.mine(created(A, ROOT, truth(1n)));
  l1.mine();
  l1.state.finalized = 3n;
  await follower.advance(signal);
  l1.reorg(1);
  l1.state.finalized = 0n;
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  l1.mine(created(B, ROOT, truth(1n)));
  l1.mine();
  l1.mine();
  await follower.advance(signal);
  assert.deepEqual(statusOf(follower), [
    [ROOT, 'confirmed'],
    [B, 'live'],
  ]);
});

test('derivation that went back further than it had to is waited for', async () => {
  const l1 = createL1Double();
  const follower = l1.follower();
  l1.mine({ kind: 'confirmed', nodeId: ROOT });
  for (let i = 0; i < 9; i += 1) l1.mine();
  l1.state.finalized = 8n;
  await follower.advance(signal);
  const before = l1.state.reads;
  l1.state.derived = 4n;
  assert.equal(await follower.advance(signal), false);
  l1.state.derived = undefined;
  assert.equal(await follower.advance(signal), true);
  assert.equal(l1.state.reads, before);
});
