import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Contract, hexlify, JsonRpcProvider, parseEther, randomBytes, Wallet } from 'ethers';
import { findAnvilPid } from '../../../cli/provision/process/anvil-process.ts';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import { SequencerInboxAbi } from '../../../contracts/generated/SequencerInbox.ts';
import type { Hex } from '../../../protocol/brand.ts';
import {
  createTestNetwork,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

const alice = Wallet.createRandom();
/** Counted here: while L1 reorganises, what a node says of it goes back for a moment. */
let nextNonce = 0;
let network: TestNetwork;
let sequencer: SequencerNode;
let provider: JsonRpcProvider;

before(async () => {
  network = await createTestNetwork({ rich: [alice.address.toLowerCase() as Hex] });
  sequencer = await network.startSequencer();
  provider = new JsonRpcProvider(sequencer.url, undefined, { cacheTimeout: -1 });
  provider.pollingInterval = 50;
});

after(async () => {
  provider?.destroy();
  await network?.stop();
});

/** Sends on L2 and resolves with the number of the block that has it. */
async function transfer(value = 1n): Promise<bigint> {
  const wallet = new Wallet(alice.privateKey, provider);
  const sent = await wallet.sendTransaction({ to: alice.address, value, nonce: nextNonce++ });
  // Asked for: ethers' own waiting misses a block that is made before its first look, and one whose number was there before a reorg.
  const receipt = await eventually(
    'the receipt',
    async () => (await provider.getTransactionReceipt(sent.hash)) ?? undefined,
  );
  assert.equal(receipt.status, 1);
  return BigInt(receipt.blockNumber);
}

const safeAt = (node: RunningNode, number: bigint): Promise<true> =>
  eventually(`safe at ${number}`, () => node.rollup.heads().safe.number >= number || undefined);

async function safeNonce({ rollup }: RunningNode): Promise<number> {
  const params = [alice.address, 'safe'];
  const answer = await rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_getTransactionCount', params });
  return Number((answer as { result: string }).result);
}

const inAgreement = (one: RunningNode, other: RunningNode): Promise<true> =>
  eventually('the same safe head', () => one.rollup.heads().safe.hash === other.rollup.heads().safe.hash || undefined);

test('L1 goes away and comes back: the sequencer goes on, and what it built is posted', async () => {
  const follower = await network.startFollower('follower');
  await safeAt(follower, await transfer());
  const pid = findAnvilPid(network.l1Folder) ?? 0;
  assert.ok(pid > 0);
  process.kill(pid, 'SIGSTOP');
  let number: bigint;
  try {
    number = await transfer();
    await transfer();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await safeAt(sequencer, number + 1n);
  await safeAt(follower, number + 1n);
  await inAgreement(sequencer, follower);
  await follower.stop();
});

test('an L1 reorg rolls the safe head back and both nodes derive the same chain again', async () => {
  const follower = await network.startFollower('follower');
  const snapshot = await network.l1Send('evm_snapshot', []);
  const { faucet } = network.l1.accounts;
  const carol = Wallet.createRandom().address.toLowerCase() as Hex;
  await depositEth(
    { rpcUrl: network.l1.rpcUrl, key: faucet.key },
    { inbox: network.descriptor.l1.inbox, to: carol, amountWei: parseEther('2') },
  );
  const number = await transfer();
  await safeAt(follower, number);
  const hash = await follower.rollup.heads().safe.hash;
  const deposited = await eventually('the deposit', async () => (await provider.getBalance(carol)) || undefined);
  assert.equal(deposited, parseEther('2'));

  assert.equal(await network.l1Send('evm_revert', [snapshot]), true);
  // The deposit never happened on this L1; the transfer is still in the sequencer's hands.
  await eventually('the deposit to be gone', async () => (await provider.getBalance(carol)) === 0n || undefined);
  await eventually('the transfer again', async () => (await provider.getTransactionCount(alice.address)) === nextNonce);
  const next = await transfer();
  await safeAt(sequencer, next);
  await safeAt(follower, next);
  await inAgreement(sequencer, follower);
  assert.notEqual(follower.rollup.heads().safe.hash, hash);
  await follower.stop();
});

test('an L1 reorg with a batch in flight does not stop the batcher', async () => {
  const l1 = new JsonRpcProvider(network.l1.rpcUrl, undefined, { cacheTimeout: -1 });
  const batcher = network.l1.accounts.sequencer.address;
  const nonceAt = async (tag: string) => Number(await l1.send('eth_getTransactionCount', [batcher, tag]));
  try {
    // A few batches in the last L1 blocks, so that the reorg takes the account's nonce back by several.
    for (let i = 0; i < 4; i += 1) await safeAt(sequencer, await transfer());
    const mined = await nonceAt('latest');
    await transfer();
    await eventually('a batch on its way', async () => (await nonceAt('pending')) > mined);
    await l1.send('anvil_reorg', [4, []]);
    assert.ok((await nonceAt('latest')) < mined);
    await eventually('the transfers again', async () => (await safeNonce(sequencer)) === nextNonce);
    // By the nonce, not by the block: a node that had not seen the reorg yet gives up its blocks and puts the transfers into fewer.
    await transfer();
    await eventually('one more transfer', async () => (await safeNonce(sequencer)) === nextNonce);
  } finally {
    l1.destroy();
  }
});

test('a sequencer that restarts goes on from its own chain, and posts nothing twice', async () => {
  const before = await transfer();
  await sequencer.stop();
  sequencer = await network.startSequencer();
  const number = await transfer();
  assert.ok(number > before);
  await safeAt(sequencer, number);
  const { rpcUrl } = network.l1;
  const l1 = new JsonRpcProvider(rpcUrl);
  const inbox = new Contract(network.descriptor.l1.sequencerInbox, [...SequencerInboxAbi], l1);
  const count = (await inbox.getFunction('batchCount')()) as bigint;
  const status = await provider.send('nectar_syncStatus', []);
  assert.equal(BigInt(status.batches), count);
  l1.destroy();
});

test('a malformed batch is an empty one for everybody', async () => {
  await sequencer.stop();
  const l1 = new JsonRpcProvider(network.l1.rpcUrl, undefined, { cacheTimeout: -1 });
  const wallet = new Wallet(hexlify(network.l1.accounts.sequencer.key), l1);
  const inbox = new Contract(network.descriptor.l1.sequencerInbox, [...SequencerInboxAbi], wallet);
  for (const data of ['0x', hexlify(randomBytes(500))]) {
    const args = [await inbox.getFunction('batchCount')(), data, await inbox.getFunction('delayedMessagesRead')()];
    await (await inbox.getFunction('addBatch').send(...args)).wait();
  }
  l1.destroy();
  const follower = await network.startFollower('follower');
  sequencer = await network.startSequencer();
  const number = await transfer();
  await safeAt(follower, number);
  await inAgreement(sequencer, follower);
  const said = await follower.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'nectar_dropped', params: [] });
  const { result } = said as { result: { what: string; reason: string }[] };
  assert.ok(result.some(({ what, reason }) => what === 'batch' && reason === 'malformed'));
  await follower.stop();
});

test('a node that has several L1 endpoints holds them against each other while it runs', async () => {
  const l1RpcUrls = [network.l1.rpcUrl, 'http://user:secret@127.0.0.1:9/key'];
  const follower = await network.startFollower('follower', { l1RpcUrls, l1CompareMs: 100 });
  const standings = () => follower.rollup.l1().endpoints.map(({ url, standing }) => `${standing} ${url}`);
  const expected = [`good ${new URL(network.l1.rpcUrl).origin}`, 'silent http://127.0.0.1:9'];
  await eventually('a comparison', () => isDeepStrictEqual(standings(), expected) || undefined);
  await follower.stop();
});

test('an L1 killed and restored from an older dump is a reorg like any other', async () => {
  const follower = await network.startFollower('follower');
  await eventually('a dump', () => new Promise<true>((resolve) => setTimeout(() => resolve(true), 2_500)));
  const number = await transfer();
  await safeAt(follower, number);
  process.kill(findAnvilPid(network.l1Folder) ?? 0, 'SIGKILL');
  await eventually('its end', () => findAnvilPid(network.l1Folder) === undefined || undefined);
  await network.restartL1();
  await transfer();
  // Blocks may be built anew and hold what several held before: it is the transactions that must not be lost.
  for (const node of [sequencer, follower]) {
    await eventually('every transfer safe', async () => (await safeNonce(node)) === nextNonce);
  }
  await inAgreement(sequencer, follower);
  await follower.stop();
});
