import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { FalseBlock } from '../../../../appliance/p2p/needs.ts';
import type { Cid } from '../../../../protocol/brand.ts';
import {
  blockWithCid,
  connected,
  RegistryDouble,
  startNode,
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

/** An owner and a holder of one of its blocks, connected. */
async function pair(seed: number, holderInput: Partial<TestNodeInput> = {}) {
  const registry = new RegistryDouble();
  const found: FalseBlock[] = [];
  const owner = await start({ seed, registry, onFalseBlock: (each) => void found.push(each) });
  const holder = await start({ seed: seed + 1, registry, ...holderInput });
  await until(() => connected(owner, holder), 'both connected');
  const { cid, bytes } = blockWithCid(`block of ${seed}`, 100_000);
  owner.own.set(cid, bytes);
  await holder.held.hold(owner.peerId, cid, { cid, bytes });
  const question = { holder: holder.peerId, root: cid, cid };
  return { registry, owner, holder, cid, bytes, question, found };
}

function replaceHeld(holder: TestNode, change: (bytes: Uint8Array) => Uint8Array): void {
  for (const [key, bytes] of holder.held.blocks) holder.held.blocks.set(key, change(bytes));
}

test('a holder that has the block proves it, as often as it is asked', async () => {
  const { owner, question } = await pair(300);
  for (let round = 0; round < 5; round += 1) assert.equal(await owner.p2p.prove(question, signal), 'proved');
});

test('a holder that kept nothing, or other bytes, proves nothing', async () => {
  const { owner, holder, question } = await pair(302);
  replaceHeld(holder, (bytes) => bytes.map((byte) => byte ^ 1));
  assert.equal(await owner.p2p.prove(question, signal), 'false');
  replaceHeld(holder, (bytes) => bytes.subarray(0, 10));
  assert.equal(await owner.p2p.prove(question, signal), 'absent');
  holder.held.blocks.clear();
  assert.equal(await owner.p2p.prove(question, signal), 'absent');
});

test('a holder of an older version, which knows no questions, proves a block by giving it', async () => {
  const { owner, holder, question, found } = await pair(304, { withoutProofs: true });
  assert.equal(await owner.p2p.prove(question, signal), 'proved');
  replaceHeld(holder, (bytes) => bytes.map((byte) => byte ^ 1));
  assert.equal(await owner.p2p.prove(question, signal), 'false');
  assert.equal(found.length, 1);
  holder.held.blocks.clear();
  assert.equal(await owner.p2p.prove(question, signal), 'absent');
});

test('who lost its own block asks for it whole', async () => {
  const { owner, cid, question } = await pair(306);
  owner.own.delete(cid);
  assert.equal(await owner.p2p.prove(question, signal), 'proved');
});

test('a holder that does not answer is silent', async () => {
  const { owner, holder, question } = await pair(308);
  await holder.p2p.stop();
  assert.equal(await owner.p2p.prove(question, signal), 'silent');
});

test('nobody learns of a block that another owner stored', async () => {
  const { registry, owner, holder, cid, bytes } = await pair(310);
  const curious = await start({ seed: 312, registry });
  await until(() => connected(curious, holder), 'the third connected');
  curious.own.set(cid, bytes);
  assert.equal(await curious.p2p.prove({ holder: holder.peerId, root: cid, cid }, signal), 'absent');
  assert.equal(await owner.p2p.prove({ holder: holder.peerId, root: cid, cid }, signal), 'proved');
});

test('wrong bytes are evidence: they are told with their hash, counted, and another holder is asked', async () => {
  const { registry, owner, holder, cid, bytes, found } = await pair(314);
  const honest = await start({ seed: 316, registry });
  await until(() => connected(owner, honest), 'the honest one connected');
  await honest.held.hold(owner.peerId, cid, { cid, bytes });
  replaceHeld(holder, () => new TextEncoder().encode('lie'));
  assert.deepEqual(await owner.p2p.fetch(cid, cid, [holder.peerId, honest.peerId], signal), bytes);
  const sha256 = createHash('sha256').update('lie').digest('hex');
  assert.deepEqual(found, [{ holder: holder.peerId, root: cid, cid, sha256 }]);
  assert.match(await owner.metrics.metrics(), /nectar_p2p_false_blocks_total 1/);
});

test('an ejected holder is still read from and told of deletions, and is connected no longer than that', async () => {
  const { registry, owner, holder, cid, bytes } = await pair(318);
  registry.authorized.delete(holder.peerId);
  owner.head();
  await until(() => !connected(owner, holder), 'the ejected one dropped');
  // Its addresses are in its entry, which stays; it is no member any more.
  registry.left.add(holder.peerId);
  assert.deepEqual(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), bytes);
  assert.equal((await owner.p2p.release(holder.peerId, [cid], signal)).outcome, 'receipt');
  assert.equal(holder.held.blocks.size, 0);
  await until(() => owner.p2p.peers().length === 0, 'the connection ended');
  // It is not taken for a member by it: nothing new is placed with it, and it does not get in by itself.
  const other = blockWithCid('another');
  owner.own.set(other.cid, other.bytes);
  assert.deepEqual(await owner.p2p.replicate(other.cid as Cid, [other.cid], signal), []);
});

test('a draining owner reads and releases what is held for it, brings nothing new, and is then a stranger', async () => {
  const { registry, owner, holder, cid, bytes } = await pair(322);
  registry.authorized.delete(owner.peerId);
  holder.head();
  assert.deepEqual(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), bytes);
  const more = blockWithCid('more');
  owner.own.set(more.cid, more.bytes);
  assert.deepEqual(await owner.p2p.replicate(more.cid, [more.cid], signal), []);
  assert.equal((await owner.p2p.release(holder.peerId, [cid], signal)).outcome, 'receipt');
  assert.equal(holder.held.blocks.size, 0);
  holder.head();
  await until(() => holder.p2p.peers().length === 0, 'the stranger dropped');
  assert.equal(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), undefined);
});

test('an owner that is ejected, not draining any more or for harm, is a stranger at once', async () => {
  const { registry, owner, holder, cid, bytes } = await pair(326);
  registry.authorized.delete(owner.peerId);
  holder.head();
  assert.deepEqual(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), bytes);
  registry.ejected.add(owner.peerId);
  holder.head();
  await until(() => holder.p2p.peers().length === 0, 'the ejected owner dropped');
  assert.equal(await owner.p2p.fetch(cid, cid, [holder.peerId], signal), undefined);
  assert.equal(holder.held.blocks.size, 1, 'what is held stays until it expires: the ejection may be taken back');
});
