import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createReplication, type ReplicationDeps } from '../../../../appliance/replication/index.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';

const signal = new AbortController().signal;

/** A store of `count` blobs that wants two replicas of each, and members that say what they take. */
function create(count: number, takers: (root: Cid) => string[]) {
  const holders = new Map<Cid, PeerIdText[]>();
  for (let index = 0; index < count; index += 1) holders.set(`root${index}` as Cid, []);
  const clock = { now: 0 };
  const asked: Cid[] = [];
  let turn = 0;
  const deps: ReplicationDeps = {
    store: {
      // Goes round, as the store's queue does.
      underReplicated: async (limit) => {
        const waiting = [...holders].filter(([, peers]) => peers.length < 2);
        const found = waiting.slice(turn, turn + limit);
        turn = found.length < limit ? 0 : turn + limit;
        return found.map(([root, peers]) => ({ root, blocks: [root], holders: [...peers] }));
      },
      markReplicated: async (root, holder) => void holders.get(root)?.push(holder),
    },
    replicate: async (root, _blocks, _signal, already) => {
      asked.push(root);
      return (takers(root) as PeerIdText[]).filter((peerId) => !already.includes(peerId));
    },
    log: createLogger({ level: 'silent' }),
    metrics: new Registry(),
    now: () => clock.now,
  };
  return { replication: createReplication({ intervalMs: 10, retryMs: 100, batch: 4 }, deps), holders, clock, asked };
}

test('every blob gets its replicas, each holder counted once', async () => {
  const { replication, holders } = create(10, () => ['a', 'b']);
  let made = 0;
  for (let round = 0; round < 8; round += 1) made += await replication.tick(signal);
  assert.equal(made, 20);
  assert.ok([...holders.values()].every((peers) => peers.join() === 'a,b'));
});

test('with one member only, all blobs get one replica and are offered again later, not at every look', async () => {
  const { replication, holders, clock, asked } = create(10, () => ['a']);
  for (let round = 0; round < 9; round += 1) await replication.tick(signal);
  assert.ok([...holders.values()].every((peers) => peers.join() === 'a'));
  assert.equal(asked.length, 10);
  clock.now = 100;
  for (let round = 0; round < 9; round += 1) await replication.tick(signal);
  assert.ok(asked.length > 10 && asked.length <= 20);
  assert.ok([...holders.values()].every((peers) => peers.length === 1));
});

test('one blob that nobody takes does not hold up the others', async () => {
  const { replication, holders } = create(3, (root) => (root === 'root0' ? [] : ['a', 'b']));
  assert.equal(await replication.tick(signal), 4);
  assert.deepEqual(holders.get('root0' as Cid), []);
});

test('where nobody takes anything, few are asked', async () => {
  const { replication, asked } = create(4, () => []);
  assert.equal(await replication.tick(signal), 0);
  assert.equal(asked.length, 3);
});

test('trouble of the store or the network ends one look, not the service', async () => {
  let broken = true;
  const { replication } = create(1, () => {
    if (broken) throw new Error('network');
    return ['a'];
  });
  assert.equal(await replication.tick(signal), 0);
  broken = false;
  await replication.start(signal);
  assert.deepEqual(replication.readiness(), { ready: true });
  await replication.stop();
});
