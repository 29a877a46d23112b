import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contract, JsonRpcProvider, keccak256, Wallet } from 'ethers';
import { depositEth, withWallet } from '../../../cli/provision/process/l1-contracts.ts';
import { InboxAbi } from '../../../contracts/generated/Inbox.ts';
import { SequencerInboxAbi } from '../../../contracts/generated/SequencerInbox.ts';
import type { Hex } from '../../../protocol/brand.ts';
import {
  createTestNetwork,
  ETHER,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

const alice = new Wallet(`0x${'a1'.repeat(32)}`);
const carol: Hex = `0x${'ca'.repeat(20)}`;
let network: TestNetwork;
let sequencer: SequencerNode;
let l2: JsonRpcProvider;

before(async () => {
  network = await createTestNetwork({ rich: [alice.address.toLowerCase() as Hex] });
  sequencer = await network.startSequencer({ validator: true });
  l2 = new JsonRpcProvider(sequencer.url, undefined, { staticNetwork: true, cacheTimeout: -1 });
});

after(async () => {
  l2?.destroy();
  await network?.stop();
});

function parties() {
  const { rpcUrl, accounts } = network.l1;
  return { anyone: { rpcUrl, key: accounts.faucet.key } };
}

async function passTime(seconds: number): Promise<void> {
  await network.l1Send('evm_increaseTime', [seconds]);
  await network.l1Send('evm_mine', []);
}

test('ETH goes to L2, and comes back to L1 once, with what a dApp would need, over a restart of the node', async () => {
  const { anyone } = parties();
  let node = await network.startFollower('clinic');
  const own = node.rollup.account.address();
  await network.fundOnL1(own);
  // What leaves must have come in: the genesis balance of a development network lies in no Inbox.
  await depositEth(anyone, { inbox: network.descriptor.l1.inbox, to: own, amountWei: 3n * ETHER });
  await eventually('the deposit', async () => (await node.rollup.account.balance()) > 0n);
  const state = async (): Promise<string> => (await node.rollup.withdrawals())[0]?.state ?? 'none';
  const seen = new Set<string>();

  const { transaction } = await node.rollup.withdraw({ to: carol, amountWei: String(2n * ETHER) });
  await eventually('it to be on L1', async () => {
    seen.add(await state());
    return !['sent', 'ordered'].includes(await state());
  });
  const { result: early } = await ask(node, 'nectar_withdrawalProof', ['0x0']);
  assert.equal(early, null, 'proven against what is not confirmed');
  await assert.rejects(node.rollup.claim({ id: 0 }), { code: 'ROLLUP_WITHDRAWAL_NOT_CLAIMABLE' });
  await assert.rejects(node.rollup.claim({ id: 7 }), { code: 'ROLLUP_WITHDRAWAL_UNKNOWN' });

  await node.stop();
  node = await network.startFollower('clinic');
  await eventually('the assertion', async () => {
    await passTime(11);
    seen.add(await state());
    return ['asserted', 'claimable'].includes(await state());
  });
  await eventually('the confirmation', async () => {
    await passTime(20);
    return (await state()) === 'claimable';
  });
  const { result: proof } = await ask(node, 'nectar_withdrawalProof', ['0x0']);
  assert.equal((proof as { proof: string[] }).proof.length, 32);
  await node.rollup.claim({ id: 0 });
  assert.deepEqual(await node.rollup.withdrawals(), [
    {
      ...{ id: 0, state: 'claimed', to: carol, amountWei: String(2n * ETHER), transaction },
      ...{ block: (await node.rollup.withdrawals())[0]?.block, claimableAt: null },
    },
  ]);
  assert.equal(BigInt((await network.l1Send('eth_getBalance', [carol, 'latest'])) as string), 2n * ETHER);
  await assert.rejects(node.rollup.claim({ id: 0 }), { code: 'ROLLUP_WITHDRAWAL_NOT_CLAIMABLE' });
  assert.ok(seen.has('batched') || seen.has('asserted'), [...seen].join());
  await node.stop();
});

async function ask(node: RunningNode, method: string, params: unknown[]): Promise<{ result?: unknown }> {
  return (await node.rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as { result?: unknown };
}

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
