import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_GOSSIP_BLOCK_BYTES } from '../../../../protocol/network/frame.ts';
import { blockOf, connected, RegistryDouble, startNode, type TestNode, type TestNodeInput, until } from './hosts.ts';

const nodes: TestNode[] = [];
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
});

async function start(input: TestNodeInput): Promise<TestNode> {
  const node = await startNode(input);
  nodes.push(node);
  return node;
}

/** Three nodes in a row: the outer two know only the middle one, so that what arrives was forwarded. */
async function row(seed: number): Promise<[TestNode, TestNode, TestNode]> {
  const registries = [new RegistryDouble(), new RegistryDouble(), new RegistryDouble()] as const;
  const [a, b, c] = (await Promise.all(
    registries.map((registry, index) =>
      start({ seed: seed + index, registry, options: { maxOutbound: index === 1 ? 8 : 1 } }),
    ),
  )) as [TestNode, TestNode, TestNode];
  registries[0].authorized.add(b.peerId);
  registries[1].authorized.add(a.peerId).add(c.peerId);
  registries[2].authorized.add(b.peerId);
  registries[1].addresses.set(a.peerId, a.p2p.addresses()).set(c.peerId, c.p2p.addresses());
  await until(() => connected(a, b) && connected(b, c), 'a row of three');
  return [a, b, c];
}

function texts(node: TestNode): string[] {
  return node.chain.blocks.map((block) => Buffer.from(block).toString());
}

/** Blocks of `a` until one arrived at `c`: gossipsub needs a heartbeat until everybody forwards. */
async function untilFlowing(a: TestNode, c: TestNode): Promise<void> {
  await until(() => {
    if (c.chain.head() === 0n) a.chain.produce();
    return c.chain.head() > 0n && c.chain.head() === a.chain.head();
  }, 'blocks at the far end');
}

test('a block reaches peers of peers, judged on the way', async () => {
  const [a, b, c] = await row(30);
  await untilFlowing(a, c);
  a.chain.produce();
  a.chain.produce(200_000);
  await until(() => c.chain.head() === a.chain.head(), 'all blocks at the far end');
  assert.deepEqual(texts(c), texts(a));
  assert.deepEqual(texts(b), texts(a));
});

test('an invalid block is rejected by the first peer and never forwarded', async () => {
  const [a, b, c] = await row(40);
  await untilFlowing(a, c);
  for (let index = 0; index < 8; index += 1) a.chain.publish(new TextEncoder().encode(`forged ${index}`));
  await until(() => b.chain.seen.some((text) => text.startsWith('forged')), 'the forged block at the first peer');
  b.chain.produce();
  await until(() => c.chain.head() === b.chain.head(), 'the next good block');
  assert.ok(c.chain.seen.every((text) => text.startsWith('block ')));
  // The sender is graylisted: what it publishes is not even judged. (Gossipsub keeps a good score for a second.)
  await sleep(1_100);
  const judged = b.chain.seen.length;
  a.chain.publish(blockOf(a.chain.blocks.length + 2));
  b.chain.produce();
  await until(() => c.chain.head() === b.chain.head(), 'another good block');
  assert.equal(b.chain.seen.length, judged);
});

test('a block larger than allowed is neither published nor taken', async () => {
  const [a, b] = await row(50);
  a.chain.publish(blockOf(1, MAX_GOSSIP_BLOCK_BYTES + 1));
  a.chain.produce();
  await until(() => {
    a.chain.publish(a.chain.blocks[0] as Uint8Array);
    return b.chain.head() === 1n;
  }, 'the small block');
  assert.ok(b.chain.blocks.every((block) => block.length === 64));
});

test('a node that comes late catches up by range as soon as it connects', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 60, registry });
  for (let index = 0; index < 600; index += 1) a.chain.produce();
  const late = await start({ seed: 61, registry });
  await until(() => late.chain.head() === 600n, 'all 600 blocks, three answers');
  assert.deepEqual(late.chain.blocks, a.chain.blocks);
});

test('blocks of which few fit one answer still all come', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 62, registry });
  for (let index = 0; index < 9; index += 1) a.chain.produce(MAX_GOSSIP_BLOCK_BYTES);
  const late = await start({ seed: 63, registry });
  await until(() => late.chain.head() === 9n, 'nine blocks of 1 MiB');
});

test('a block that leaves a gap makes the node ask for what lies between', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 64, registry });
  const b = await start({ seed: 65, registry });
  await until(() => connected(a, b), 'connected');
  // Blocks that gossip never carried, and then one that it does.
  for (let number = 1; number <= 5; number += 1) a.chain.blocks.push(blockOf(number));
  await until(() => {
    a.chain.produce();
    return b.chain.head() >= 6n;
  }, 'the gap closed');
  assert.deepEqual(b.chain.blocks[0], blockOf(1));
});

test('the last block is found by asking when gossip lost it', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 66, registry });
  const b = await start({ seed: 67, registry, options: { catchUpIntervalMs: 50 } });
  await until(() => connected(a, b), 'connected');
  a.chain.blocks.push(blockOf(1));
  await until(() => b.chain.head() === 1n, 'the lost block');
});

test('a liar in a range ends its catch-up, and the chain stays as it was', async () => {
  const registry = new RegistryDouble();
  const liar = await start({ seed: 68, registry });
  liar.chain.blocks.push(blockOf(1), new TextEncoder().encode('no block'), blockOf(2));
  const b = await start({ seed: 69, registry });
  await until(() => b.chain.seen.includes('no block'), 'the lie');
  assert.deepEqual(b.chain.blocks, [blockOf(1)]);
});
