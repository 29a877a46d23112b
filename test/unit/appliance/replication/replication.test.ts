import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createReplication, type ReplicationDeps } from '../../../../appliance/replication/index.ts';
import type { HeldQuestion, ProofOutcome } from '../../../../appliance/replication/needs.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';

const CONFIG = {
  ...{ intervalMs: 10, retryMs: 100, batch: 4, parallel: 2 },
  ...{ releaseRetryMaxMs: 400, tidyIntervalMs: 3_600_000, checkIntervalMs: 3_600_000, checks: 4 },
  ...{ offerIntervalMs: 1_000, auditIntervalMs: 3_600_000 },
};
const RECEIPT = { nonce: 'ab'.repeat(32), epoch: 20_000, bytes: 7, signature: 'c2ln' };
const signal = new AbortController().signal;

/** A store of `count` blobs that wants two replicas of each, and members that say what they take. */
function create(count: number, takers: (root: Cid) => string[], config: Partial<typeof CONFIG> = {}) {
  const holders = new Map<Cid, PeerIdText[]>();
  for (let index = 0; index < count; index += 1) holders.set(`root${index}` as Cid, []);
  const clock = { now: 0 };
  const asked: Cid[] = [];
  let turn = 0;
  const world = {
    questions: [] as HeldQuestion[],
    answers: [] as Parameters<ReplicationDeps['store']['holderAnswered']>[0][],
    outcome: (_holder: string): ProofOutcome => 'proved',
    out: new Set<string>(),
    members: ['a'],
    running: 0,
    most: 0,
    releases: [] as { holder: PeerIdText; roots: Cid[] }[],
    tidied: [] as { owner: string; isMember: boolean }[],
    isCurrent: true,
    told: [] as string[],
    receipted: [] as Parameters<ReplicationDeps['store']['released']>[0][],
    releasing: (_holder: string): 'receipt' | 'told' | 'false' | 'silent' => 'receipt',
  };
  const deps: ReplicationDeps = {
    store: {
      // Goes round, as the store's queue does.
      underReplicated: async (limit) => {
        const waiting = [...holders].filter(([, peers]) => peers.length < 2);
        const found = waiting.slice(turn, turn + limit);
        turn = found.length < limit ? 0 : turn + limit;
        return found.map(([root, peers]) => ({ root, blocks: [root], holders: [...peers], former: [], barred: [] }));
      },
      markReplicated: async (root, holder) => void holders.get(root)?.push(holder),
      holderQuestions: async () => world.questions,
      holderAnswered: async (answer) => void world.answers.push(answer),
      shardHolders: async () => [],
      shardWork: async () => [],
      shardBrought: async () => undefined,
      shardAudits: async () => [],
      shardAudited: async () => undefined,
      pendingReleases: async () => world.releases,
      async released(release) {
        world.receipted.push(release);
        world.releases = world.releases.filter(({ holder }) => holder !== release.holder);
      },
    },
    replicate: async (root, _blocks, _signal, already) => {
      asked.push(root);
      world.running += 1;
      world.most = Math.max(world.most, world.running);
      await new Promise((resolve) => setImmediate(resolve));
      world.running -= 1;
      return (takers(root) as PeerIdText[]).filter((peerId) => !already.holders.includes(peerId));
    },
    prove: async ({ holder }) => world.outcome(holder),
    release: async (holder) => {
      world.told.push(holder);
      const outcome = world.releasing(holder);
      return outcome === 'receipt' ? { outcome, receipt: RECEIPT } : { outcome };
    },
    bring: async () => false,
    askShards: async () => assert.fail('nobody offers anything'),
    registered: async () => [],
    self: () => 'self' as PeerIdText,
    held: {
      owners: async () => ['in', 'out'] as PeerIdText[],
      tidy: async (standings) => void world.tidied.push(...standings),
    },
    isCurrent: () => world.isCurrent,
    isMember: async (peerId) => {
      if (world.out.has('registry')) throw new Error('no state');
      return !world.out.has(peerId);
    },
    members: async () => world.members as PeerIdText[],
    draw: () => 0,
    log: createLogger({ level: 'silent' }),
    metrics: new Registry(),
    now: () => clock.now,
  };
  return { replication: createReplication({ ...CONFIG, ...config }, deps), holders, clock, asked, world };
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
  assert.ok(asked.length >= 3 && asked.length <= 3 + CONFIG.parallel - 1, `${asked.length}`);
});

test('several blobs are on their way at a time, and no more than allowed', async () => {
  const { replication, world } = create(4, () => ['a', 'b']);
  await replication.tick(signal);
  assert.equal(world.most, CONFIG.parallel);
});

test('a look that made replicas is followed by the next one at once', async () => {
  // One wait between two looks would be longer than any test runs.
  const { replication, asked } = create(40, () => ['a', 'b'], { intervalMs: 3_600_000 });
  await replication.start(signal);
  for (let turn = 0; turn < 10_000 && asked.length < 20; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
  assert.ok(asked.length >= 20, `${asked.length} blobs: more than one look`);
  await replication.stop();
});

test('a holder that says done and cannot prove a block is not counted', async () => {
  const { replication, holders, world } = create(2, () => ['liar', 'b']);
  world.outcome = (holder) => (holder === 'liar' ? 'absent' : 'proved');
  assert.equal(await replication.tick(signal), 2);
  assert.ok([...holders.values()].every((peers) => peers.join() === 'b'));
  assert.deepEqual(world.answers[0], { holder: 'liar', root: 'root0', cid: 'root0', outcome: 'absent' });
  assert.equal(world.answers.length, 2);
});

const question = (holder: string): HeldQuestion => ({
  holder: holder as PeerIdText,
  root: 'r' as Cid,
  cid: 'c' as Cid,
});

test('every holder is asked, and the store hears what each answered', async () => {
  const { replication, world } = create(0, () => []);
  world.questions = ['good', 'liar', 'gone', 'ejected'].map(question);
  world.out.add('ejected');
  world.outcome = (holder) => (holder === 'liar' ? 'false' : holder === 'gone' ? 'silent' : 'proved');
  await replication.check(signal);
  const told = world.answers.map(({ holder, outcome }) => `${holder} ${outcome}`);
  assert.deepEqual(told.sort(), ['ejected out', 'gone silent', 'good proved', 'liar false']);
});

test('a node that reaches nobody blames nobody, nor does one whose registry gives no answer', async () => {
  const { replication, world } = create(0, () => []);
  world.questions = ['a', 'b'].map(question);
  world.outcome = () => 'silent';
  world.members = [];
  await replication.check(signal);
  assert.deepEqual(world.answers, []);
  world.members = ['c'];
  world.out.add('registry');
  await replication.check(signal);
  assert.deepEqual(world.answers, []);
  world.out.clear();
  await replication.check(signal);
  assert.equal(world.answers.length, 2);
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

test('a holder is told of deletions until it signs, ever more rarely, and at once when it is seen again', async () => {
  const { replication, clock, world } = create(0, () => []);
  const [gone, there] = ['gone', 'there'] as PeerIdText[];
  assert.ok(gone !== undefined && there !== undefined);
  world.releases = [gone, there].map((holder) => ({ holder, roots: ['root' as Cid] }));
  world.members = [there];
  world.releasing = (holder) => (holder === gone ? 'silent' : 'receipt');
  const at: number[] = [];
  for (clock.now = 0; clock.now < 1_000; clock.now += 50) {
    const before = world.told.filter((holder) => holder === gone).length;
    await replication.release(signal);
    if (world.told.filter((holder) => holder === gone).length > before) at.push(clock.now);
  }
  // 100, 200, 400, and no longer than that.
  assert.deepEqual(at, [0, 100, 300, 700]);
  assert.deepEqual(world.receipted, [{ holder: there, roots: ['root'], receipt: RECEIPT }]);
  world.members = [gone, there];
  world.releasing = () => 'receipt';
  await replication.release(signal);
  assert.deepEqual(world.releases, []);
});

test('a word without a signature, or a false one, is no receipt', async () => {
  for (const outcome of ['told', 'false', 'silent'] as const) {
    const { replication, world } = create(0, () => []);
    world.releases = [{ holder: 'a' as PeerIdText, roots: ['root' as Cid] }];
    world.releasing = () => outcome;
    await replication.release(signal);
    await replication.release(signal);
    assert.deepEqual([world.told.length, world.receipted.length, world.releases.length], [1, 0, 1]);
  }
});

test('whose owner is out is told to the store, by a registry of today that answers', async () => {
  const { replication, world } = create(0, () => []);
  world.out.add('out');
  await replication.tidy(signal);
  const both = [
    { owner: 'in', isMember: true },
    { owner: 'out', isMember: false },
  ];
  assert.deepEqual(world.tidied, both);
  world.isCurrent = false;
  await replication.tidy(signal);
  world.isCurrent = true;
  world.out.add('registry');
  await replication.tidy(signal);
  assert.deepEqual(world.tidied, both);
});
