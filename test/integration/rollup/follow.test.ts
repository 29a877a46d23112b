import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { JsonRpcProvider, parseEther, Wallet } from 'ethers';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import {
  createTestNetwork,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

const alice = Wallet.createRandom();
let network: TestNetwork;
let sequencer: SequencerNode;
let provider: JsonRpcProvider;

before(async () => {
  network = await createTestNetwork();
  sequencer = await network.startSequencer();
  provider = new JsonRpcProvider(sequencer.url, undefined, { cacheTimeout: -1 });
  provider.pollingInterval = 50;
});

after(async () => {
  provider?.destroy();
  await network?.stop();
});

const balanceOn = async (node: RunningNode, address: string): Promise<bigint> => {
  const answer = await node.rollup.rpc({
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_getBalance',
    params: [address, 'latest'],
  });
  return BigInt((answer as { result: string }).result);
};

test('a deposit on L1 appears on L2', async () => {
  const { faucet } = network.l1.accounts;
  const { rpcUrl } = network.l1;
  const index = await depositEth(
    { rpcUrl, key: faucet.key },
    { inbox: network.descriptor.l1.inbox, to: alice.address.toLowerCase() as Hex, amountWei: parseEther('3') },
  );
  assert.equal(index, 0n);
  await eventually('the deposit', async () => (await balanceOn(sequencer, alice.address)) === parseEther('3'));
});

test('a follower that has L1 alone rebuilds the same chain, and its finalized head moves by itself', async () => {
  const wallet = new Wallet(alice.privateKey, provider);
  const bob = Wallet.createRandom().address;
  const sent = await wallet.sendTransaction({ to: bob, value: parseEther('1') });
  const receipt = await sent.wait();
  assert.equal(receipt?.status, 1);
  const number = BigInt(receipt?.blockNumber ?? 0);
  await eventually('safe on the sequencer', () => sequencer.rollup.heads().safe.number >= number);

  const follower = await network.startFollower('follower');
  await eventually('safe on the follower', () => follower.rollup.heads().safe.number >= number);
  assert.equal(await balanceOn(follower, bob), parseEther('1'));
  await eventually('equal heads', () => follower.rollup.heads().safe.hash === sequencer.rollup.heads().safe.hash);
  await eventually('finality', () => follower.rollup.heads().finalized.number >= number);
  assert.deepEqual(follower.rollup.readiness(), { ready: true });
  const params = [`0x${number.toString(16)}`];
  const place = await follower.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'nectar_batchOf', params });
  assert.match((place as { result: { l1: { hash: string } } }).result.l1.hash, /^0x[0-9a-f]{64}$/);
  await follower.stop();
});

test('an announced block is taken before L1 has it, becomes safe, and is served on', async () => {
  const follower = await network.startFollower('follower');
  await eventually('equal heads', () => follower.rollup.heads().unsafe.hash === sequencer.rollup.heads().unsafe.hash);
  const verdicts: string[] = [];
  let envelope: Uint8Array = new Uint8Array();
  const forget = sequencer.rollup.onUnsafe((encoded) => {
    envelope = encoded;
    void follower.rollup.acceptUnsafe(encoded).then((verdict) => verdicts.push(verdict));
  });
  // While L1 stands still nothing is posted: what arrives can only have come by announcement.
  await network.l1Send('evm_setAutomine', [false]);
  await network.l1Send('evm_setIntervalMining', [0]);
  const first = await eventually('a sequencer', () => sequencer.rollup.heads().unsafe.number + 1n);
  for (let i = 0; i < 3; i += 1) {
    const sent = await new Wallet(alice.privateKey, provider).sendTransaction({ to: alice.address, value: 1n });
    await sent.wait();
  }
  const number = sequencer.rollup.heads().unsafe.number;
  assert.equal(number, first + 2n);
  await eventually('the announcements', () => follower.rollup.heads().unsafe.number >= number);
  assert.deepEqual(verdicts, ['accept', 'accept', 'accept']);
  assert.ok(follower.rollup.heads().safe.number < number);
  assert.equal(await follower.rollup.acceptUnsafe(envelope), 'ignore');
  const forged = Uint8Array.from(envelope);
  forged[10] = (forged[10] ?? 0) ^ 1;
  assert.notEqual(await follower.rollup.acceptUnsafe(forged), 'accept');
  assert.equal(await follower.rollup.acceptUnsafe(new Uint8Array(100)), 'reject');
  forget();
  const range = await follower.rollup.unsafeRange(first, 10);
  assert.deepEqual(range.at(-1), Buffer.from(envelope));
  // A third node that missed all of it catches up by range, even when every block comes at once.
  const late = await network.startFollower('late');
  await eventually('what L1 has', () => late.rollup.heads().unsafe.number === first - 1n);
  assert.deepEqual(await Promise.all(range.map((each) => late.rollup.acceptUnsafe(each))), [
    'accept',
    'accept',
    'accept',
  ]);
  assert.equal(late.rollup.heads().unsafe.hash, follower.rollup.heads().unsafe.hash);
  await late.stop();

  const { hash } = follower.rollup.heads().unsafe;
  await network.l1Send('evm_setAutomine', [true]);
  await network.l1Send('evm_setIntervalMining', [1]);
  await eventually('safe', () => follower.rollup.heads().safe.number >= number);
  assert.equal(follower.rollup.heads().safe.hash, hash);
  await follower.stop();
});

test('a follower resumes where it was, and forwards transactions to the sequencer', async () => {
  const follower = await network.startFollower('follower');
  assert.ok(follower.rollup.heads().safe.number > 0n, 'the database remembers');
  const raw = await new Wallet(alice.privateKey).signTransaction({
    chainId: 6328270,
    nonce: await provider.getTransactionCount(alice.address, 'pending'),
    to: alice.address,
    value: 7n,
    gasLimit: 21_000,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 0,
    type: 2,
  });
  const answer = await follower.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] });
  const hash = (answer as { result: Hex }).result;
  assert.match(hash, /^0x[0-9a-f]{64}$/);
  const receipt = await eventually('the receipt', () => follower.rollup.account.receipt(hash));
  assert.equal(receipt.status, 1);
  const again = await follower.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] });
  assert.match((again as { error: { message: string } }).error.message, /nonce too low/);
  await follower.stop();
});
