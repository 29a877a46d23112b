import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import {
  blockWithCid,
  connected,
  RegistryDouble,
  startNode,
  type TestNode,
  type TestNodeInput,
  until,
} from './hosts.ts';

const nodes: TestNode[] = [];
const signal = new AbortController().signal;
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
});

async function start(input: TestNodeInput): Promise<TestNode> {
  const node = await startNode(input);
  nodes.push(node);
  return node;
}

async function network(seed: number, count: number, options: TestNodeInput['options'] = {}): Promise<TestNode[]> {
  const registry = new RegistryDouble();
  const all: TestNode[] = [];
  for (let index = 0; index < count; index += 1)
    all.push(
      await start({
        seed: seed + index,
        registry,
        options: { streamTimeoutMs: 30_000, maxExchangeMs: 60_000, ...options },
      }),
    );
  await until(() => all.every((a) => all.every((b) => a === b || connected(a, b))), 'all connected');
  return all;
}

function placed(holders: PeerIdText[], barred: PeerIdText[] = []) {
  return { holders, former: [], barred };
}

/** Puts a sealed blob of `count` blocks into the node's own blocks. */
function seal(node: TestNode, count: number, bytes = 1000): { root: Cid; blocks: Cid[] } {
  const blocks = Array.from({ length: count }, (_, index) => blockWithCid(`${node.peerId} ${index}`, bytes));
  for (const block of blocks) node.own.set(block.cid, block.bytes);
  return { root: (blocks[0] as { cid: Cid }).cid, blocks: blocks.map(({ cid }) => cid) };
}

test('a blob is held by the asked number of members and comes back block by block', async () => {
  const [owner, ...others] = (await network(70, 4)) as [TestNode, ...TestNode[]];
  const { root, blocks } = seal(owner, 70);
  const holders = await owner.p2p.replicate(root, blocks, signal);
  assert.equal(holders.length, 2);
  const holding = others.filter((node) => node.held.blocks.size === blocks.length).map(({ peerId }) => peerId);
  assert.deepEqual(new Set(holding), new Set(holders));
  for (const cid of blocks) assert.deepEqual(await owner.p2p.fetch(root, cid, holders, signal), owner.own.get(cid));
});

test('who holds already is counted and not asked again', async () => {
  const [owner, a, b] = (await network(170, 3)) as [TestNode, TestNode, TestNode];
  const { root, blocks } = seal(owner, 2);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal, placed([a.peerId])), [b.peerId]);
  assert.equal(a.held.blocks.size, 0);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal, placed([a.peerId, b.peerId])), []);
});

test('a holder that is not connected is dialled by its registered address', async () => {
  const registry = new RegistryDouble();
  const apart = { dialIntervalMs: 3_600_000, catchUpIntervalMs: 3_600_000 };
  const owner = await start({ seed: 173, registry, options: apart });
  const holder = await start({ seed: 174, registry, options: apart });
  const { cid, bytes } = blockWithCid('held long ago');
  await holder.held.hold(owner.peerId, cid, { cid, bytes });
  assert.ok(!connected(owner, holder));
  registry.addresses.delete(owner.peerId);
  assert.deepEqual(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), bytes);
});

test('more fetches at once than a holder serves all come back', async () => {
  const [owner, holder] = (await network(175, 2)) as [TestNode, TestNode];
  const { root, blocks } = seal(owner, 30, 20_000);
  await owner.p2p.replicate(root, blocks, signal);
  const fetched = await Promise.all(blocks.map((cid) => owner.p2p.fetch(root, cid, [holder.peerId], signal)));
  for (const [index, cid] of blocks.entries()) assert.deepEqual(fetched[index], owner.own.get(cid));
});

test('a holder that is busy with others serves everybody in turn', async () => {
  const [owner, other, holder] = (await network(177, 3, { maxExchanges: 1 })) as [TestNode, TestNode, TestNode];
  const mine = seal(owner, 8, 500_000);
  const theirs = seal(other, 8, 500_000);
  for (const [node, blob] of [
    [owner, mine],
    [other, theirs],
  ] as const) {
    for (const cid of blob.blocks) {
      await holder.held.hold(node.peerId, blob.root, { cid, bytes: node.own.get(cid) as Uint8Array });
    }
  }
  const fetchAll = (node: TestNode, blob: typeof mine): Promise<(Uint8Array | undefined)[]> =>
    Promise.all(blob.blocks.map((cid) => node.p2p.fetch(blob.root, cid, [holder.peerId], signal)));
  const [a, b] = await Promise.all([fetchAll(owner, mine), fetchAll(other, theirs)]);
  assert.ok([...a, ...b].every((bytes) => bytes?.length === 500_000));
});

test('asking again sends nothing twice and fills what the holder lost', async () => {
  const [owner, holder] = (await network(74, 2)) as [TestNode, TestNode];
  const { root, blocks } = seal(owner, 3);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), [holder.peerId]);
  owner.own.delete(blocks[1] as Cid);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), [holder.peerId], 'the holder needs nothing');
  holder.held.blocks.clear();
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), [], 'one block is nowhere');
});

test('a block of the largest size travels', async () => {
  const [owner, holder] = (await network(76, 2)) as [TestNode, TestNode];
  const { root, blocks } = seal(owner, 2, 1024 * 1024);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), [holder.peerId]);
  assert.deepEqual(
    await owner.p2p.fetch(root, blocks[1] as Cid, [holder.peerId], signal),
    owner.own.get(blocks[1] as Cid),
  );
});

test('a member who does not own a held block is refused as if it were not there', async () => {
  const [owner, holder, curious] = (await network(78, 3, { replicas: 1 })) as [TestNode, TestNode, TestNode];
  const { root, blocks } = seal(owner, 1);
  const [held] = (await owner.p2p.replicate(root, blocks, signal)) as [PeerIdText];
  const asking = held === holder.peerId ? curious : holder;
  assert.equal(await asking.p2p.fetch(root, root, [held], signal), undefined);
  assert.equal(await asking.p2p.fetch(root, root, [owner.peerId], signal), undefined, 'nor does the owner serve it');
  assert.deepEqual(await owner.p2p.fetch(root, root, [held], signal), owner.own.get(root));
});

test('wrong bytes of one holder are thrown away and the next holder is asked', async () => {
  const [owner, liar, honest] = (await network(81, 3)) as [TestNode, TestNode, TestNode];
  const { root, blocks } = seal(owner, 1);
  assert.equal((await owner.p2p.replicate(root, blocks, signal)).length, 2);
  for (const key of liar.held.blocks.keys()) liar.held.blocks.set(key, new Uint8Array(1000));
  assert.deepEqual(await owner.p2p.fetch(root, root, [liar.peerId, honest.peerId], signal), owner.own.get(root));
  assert.equal(await owner.p2p.fetch(root, root, [liar.peerId], signal), undefined);
});

test('an owner who sends bytes that are not the block gets nothing held', async () => {
  const [owner, holder] = (await network(84, 2)) as [TestNode, TestNode];
  const { root, blocks } = seal(owner, 1);
  owner.own.set(root, new Uint8Array(1000));
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), []);
  assert.equal(holder.held.blocks.size, 0);
});

test('a holder with a full disk refuses, and another one is asked', async () => {
  const [owner, full, other] = (await network(86, 3, { replicas: 1 })) as [TestNode, TestNode, TestNode];
  for (const node of [full, other]) node.held.failure = new NectarError('NODE_DISK_FULL', { path: 'held' });
  const { root, blocks } = seal(owner, 1);
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), []);
  other.held.failure = undefined;
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), [other.peerId]);
});

test('release makes the holder forget, for the owner only', async () => {
  const [owner, holder, stranger] = (await network(89, 3)) as [TestNode, TestNode, TestNode];
  const { root, blocks } = seal(owner, 2);
  await owner.p2p.replicate(root, blocks, signal);
  await stranger.p2p.release(holder.peerId, [root], signal);
  assert.deepEqual(await owner.p2p.fetch(root, root, [holder.peerId], signal), owner.own.get(root));
  assert.equal((await owner.p2p.release(holder.peerId, [root], signal)).outcome, 'receipt');
  assert.equal(await owner.p2p.fetch(root, root, [holder.peerId], signal), undefined);
  assert.equal(holder.held.blocks.size, 0);
});

test('an aborted signal ends a fetch at once', async () => {
  const [owner, holder] = (await network(92, 2)) as [TestNode, TestNode];
  const { root } = seal(owner, 1);
  await assert.rejects(
    owner.p2p.fetch(root, root, [holder.peerId], AbortSignal.abort(new Error('enough'))),
    /enough|abort/i,
  );
});

test('a blob without blocks and a network without members hold nothing', async () => {
  const [alone] = (await network(94, 1)) as [TestNode];
  const { root, blocks } = seal(alone, 1);
  assert.deepEqual(await alone.p2p.replicate(root, blocks, signal), []);
  const [owner] = (await network(95, 2)) as [TestNode, TestNode];
  assert.deepEqual(await owner.p2p.replicate(root, [], signal), []);
});

test('a refused upload leaves nothing at the holder, in one request or in several', async () => {
  for (const [seed, count] of [
    [196, 5],
    [198, 100],
  ] as const) {
    const [owner, full] = (await network(seed, 2)) as [TestNode, TestNode];
    full.held.failure = new NectarError('STORE_HELD_QUOTA', { quotaBytes: 1, scope: 'one owner' });
    full.held.failsAfter = count - 1;
    const { root, blocks } = seal(owner, count);
    assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), []);
    assert.equal(full.held.blocks.size, 0);
  }
});

test('what a holder had before a refused request stays', async () => {
  const [owner, full] = (await network(200, 2)) as [TestNode, TestNode];
  const { root, blocks } = seal(owner, 3);
  const first = blocks[0] as Cid;
  await full.held.hold(owner.peerId, root, { cid: first, bytes: owner.own.get(first) as Uint8Array });
  full.held.failure = new NectarError('STORE_HELD_QUOTA', { quotaBytes: 1, scope: 'one owner' });
  full.held.failsAfter = 2;
  assert.deepEqual(await owner.p2p.replicate(root, blocks, signal), []);
  assert.deepEqual([...full.held.blocks.keys()], [`${owner.peerId} ${root} ${first}`]);
});
