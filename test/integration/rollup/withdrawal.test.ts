import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contract, JsonRpcProvider, keccak256, Wallet } from 'ethers';
import { depositEth, withWallet } from '../../../cli/provision/process/l1-contracts.ts';
import {
  assertNext,
  confirmAssertion,
  executeWithdrawal,
  proveWithdrawal,
} from '../../../cli/provision/process/withdrawal.ts';
import { InboxAbi } from '../../../contracts/generated/Inbox.ts';
import { MessengerAbi } from '../../../contracts/generated/Messenger.ts';
import { SequencerInboxAbi } from '../../../contracts/generated/SequencerInbox.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { createTestNetwork, ETHER, eventually, type SequencerNode, type TestNetwork } from './test-network.ts';

const alice = new Wallet(`0x${'a1'.repeat(32)}`);
const carol: Hex = `0x${'ca'.repeat(20)}`;
let network: TestNetwork;
let sequencer: SequencerNode;
let l2: JsonRpcProvider;

before(async () => {
  network = await createTestNetwork({ rich: [alice.address.toLowerCase() as Hex] });
  sequencer = await network.startSequencer();
  l2 = new JsonRpcProvider(sequencer.url, undefined, { staticNetwork: true, cacheTimeout: -1 });
});

after(async () => {
  l2?.destroy();
  await network?.stop();
});

/** The deployer may stake; it asserts; the faucet's pays and executes. */
function parties() {
  const { rpcUrl, accounts } = network.l1;
  const { rollup, outbox } = network.descriptor.l1;
  const place = { rollup, outbox, l2RpcUrl: sequencer.url };
  const validator = { rpcUrl, key: accounts.deployer.key };
  return { place, validator, anyone: { rpcUrl, key: accounts.faucet.key } };
}

async function passTime(seconds: number): Promise<void> {
  await network.l1Send('evm_increaseTime', [seconds]);
  await network.l1Send('evm_mine', []);
}

async function isSafe(number: number): Promise<boolean> {
  return ((await l2.getBlock('safe'))?.number ?? 0) >= number;
}

test('ETH goes to L2 and comes back to L1 with a proof, once', async () => {
  const { place, validator, anyone } = parties();
  // What leaves must have come in: the genesis balance of a development network lies in no Inbox.
  await depositEth(anyone, { inbox: network.descriptor.l1.inbox, to: carol, amountWei: 3n * ETHER });
  const messenger = new Contract(PREDEPLOYS.messenger, [...MessengerAbi], alice.connect(l2));
  const sent = await messenger.getFunction('sendMessage').send(carol, '0x', { value: 2n * ETHER });
  const receipt = await eventually('the message', () =>
    l2.getTransactionReceipt(sent.hash).then((r) => r ?? undefined),
  );
  await eventually('it to be safe', () => isSafe(receipt.blockNumber));

  await passTime(15);
  const first = await eventually('the first assertion', () => assertNext(validator, place));
  await passTime(15);
  const second = await eventually('the second assertion', () => assertNext(validator, place));
  assert.equal(await confirmAssertion(anyone, place, first), false, 'confirmed before its period was over');
  assert.equal(await proveWithdrawal(anyone, place, 0n), undefined, 'proven against what is not confirmed');
  await passTime(40);
  assert.equal(await confirmAssertion(anyone, place, first), true);
  assert.equal(await confirmAssertion(anyone, place, second), true);

  const proven = await eventually('the proof', () => proveWithdrawal(anyone, place, 0n));
  await executeWithdrawal(anyone, place, proven);
  const balance = await network.l1Send('eth_getBalance', [carol, 'latest']);
  assert.equal(BigInt(balance as string), 2n * ETHER);
  await assert.rejects(executeWithdrawal(anyone, place, proven), 'paid twice');
});

test('a transaction that the sequencer never sees reaches L2 by force', async () => {
  const { anyone } = parties();
  const provider = new JsonRpcProvider(network.l1.rpcUrl, undefined, { cacheTimeout: -1 });
  const nonce = await l2.getTransactionCount(alice.address);
  const raw = await alice.signTransaction({
    type: 2,
    chainId: 6_328_270,
    nonce,
    to: carol,
    value: 7n,
    gasLimit: 21_000,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 0,
  });
  const before_ = await l2.getBalance(carol);
  // Nobody orders or posts: only L1 and a follower are left.
  await sequencer.stop();
  const follower = await network.startFollower('follower');
  await withWallet(anyone, async (wallet) => {
    const inbox = new Contract(network.descriptor.l1.inbox, [...InboxAbi], wallet);
    const batches = new Contract(network.descriptor.l1.sequencerInbox, [...SequencerInboxAbi], wallet);
    const receipt = await (await inbox.getFunction('sendTransaction').send(raw)).wait();
    assert(receipt !== null, 'L1 mined nothing');
    const block = await provider.getBlock(receipt.blockNumber);
    const count = (await inbox.getFunction('messageCount')()) as bigint;
    const last = [1, wallet.address, hashOf(raw), receipt.blockNumber, block?.timestamp];
    await assert.rejects(batches.getFunction('forceInclusion').staticCall(count, last), 'forced while it was young');
    await passTime(120);
    await (await batches.getFunction('forceInclusion').send(count, last)).wait();
  });
  provider.destroy();
  const balanceOf = async (): Promise<bigint> => {
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [carol, 'latest'] };
    const { result } = (await follower.rollup.rpc(body)) as { result?: string };
    return BigInt(result ?? '0x0');
  };
  await eventually('the forced transfer', async () => (await balanceOf()) === before_ + 7n);
  await follower.stop();
});

function hashOf(raw: string): string {
  return keccak256(raw);
}
