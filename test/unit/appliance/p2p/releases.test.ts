import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Cid } from '../../../../protocol/brand.ts';
import { isReleaseReceipt } from '../../../../protocol/network/release-exchange.ts';
import {
  blockWithCid,
  connected,
  RegistryDouble,
  startNode,
  TEST_OPTIONS,
  type TestNode,
  type TestNodeInput,
  until,
} from './hosts.ts';

const signal = new AbortController().signal;
const nodes: TestNode[] = [];
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
});

async function start(input: TestNodeInput): Promise<TestNode> {
  const node = await startNode(input);
  nodes.push(node);
  return node;
}

/** An owner, and a holder of two of its blobs, connected. */
async function pair(seed: number, holderInput: Partial<TestNodeInput> = {}) {
  const registry = new RegistryDouble();
  const owner = await start({ seed, registry });
  const holder = await start({ seed: seed + 1, registry, ...holderInput });
  await until(() => connected(owner, holder), 'both connected');
  const roots: Cid[] = [];
  for (const name of ['a', 'b']) {
    const { cid, bytes } = blockWithCid(`${name} of ${seed}`, 1_000);
    await holder.held.hold(owner.peerId, cid, { cid, bytes });
    roots.push(cid);
  }
  return { registry, owner, holder, roots };
}

test('a holder takes away what it is told, and signs it for that request', async () => {
  const { owner, holder, roots } = await pair(400);
  const answer = await owner.p2p.release(holder.peerId, roots, signal);
  assert.ok(answer.outcome === 'receipt');
  assert.equal(holder.held.blocks.size, 0);
  const { nonce, epoch, bytes, signature } = answer.receipt;
  assert.equal(bytes, 2_000);
  const parties = { l2ChainId: TEST_OPTIONS.l2ChainId, owner: owner.peerId, holder: holder.peerId };
  const said = { epoch, bytes, signature: Buffer.from(signature, 'base64') };
  assert.ok(isReleaseReceipt(parties, { nonce: Buffer.from(nonce, 'hex'), roots }, said));
  // Asked again, as after a lost answer: nothing was there any more, which is as good.
  const again = await owner.p2p.release(holder.peerId, roots, signal);
  assert.ok(again.outcome === 'receipt' && again.receipt.bytes === 0 && again.receipt.nonce !== nonce);
});

test('a peer releases nothing of another owner', async () => {
  const { registry, holder, roots } = await pair(402);
  const stranger = await start({ seed: 404, registry });
  await until(() => connected(stranger, holder), 'the third connected');
  const answer = await stranger.p2p.release(holder.peerId, roots, signal);
  assert.ok(answer.outcome === 'receipt' && answer.receipt.bytes === 0);
  assert.equal(holder.held.blocks.size, 2);
});

test('a holder of an older version is told by the exchange of blocks, and its word is no receipt', async () => {
  const { owner, holder, roots } = await pair(405, { withoutReceipts: true });
  assert.deepEqual(await owner.p2p.release(holder.peerId, roots, signal), { outcome: 'told' });
  assert.equal(holder.held.blocks.size, 0);
});

test('a holder that is away, or whose disk refuses, gives no receipt', async () => {
  const { owner, holder, roots } = await pair(407);
  const { release } = holder.held;
  holder.held.release = async () => {
    throw new Error('the disk refuses');
  };
  assert.deepEqual(await owner.p2p.release(holder.peerId, roots, signal), { outcome: 'silent' });
  holder.held.release = release;
  await holder.p2p.stop();
  assert.deepEqual(await owner.p2p.release(holder.peerId, roots, signal), { outcome: 'silent' });
});
