import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contract } from 'ethers';
import { withWallet } from '../../../cli/provision/process/l1-contracts.ts';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import { SystemConfigAbi } from '../../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { createTestNetwork, ETHER, eventually, type RunningNode, type TestNetwork } from './test-network.ts';

let network: TestNetwork;
let watcher: RunningNode;

before(async () => {
  network = await createTestNetwork();
  const { rpcUrl, accounts } = network.l1;
  // A second account may stake: the list of validators is all that keeps a liar away.
  await withWallet({ rpcUrl, key: accounts.deployer.key }, async (wallet) => {
    const rollup = new Contract(network.descriptor.l1.rollup, [...RollupAbi], wallet);
    const config = new Contract(String(await rollup.getFunction('systemConfig')()), [...SystemConfigAbi], wallet);
    await (await config.getFunction('addValidator').send(accounts.faucet.address)).wait();
  });
  await network.startSequencer({ validator: true });
  watcher = await network.startFollower('watcher');
});

after(() => network?.stop());

async function passTime(seconds: number): Promise<void> {
  await network.l1Send('evm_increaseTime', [seconds]);
  await network.l1Send('evm_mine', []);
}

const shown = () => watcher.rollup.assertions();

/** Stakes with the faucet's account and asserts a state that nobody derives. */
async function assertFalsehood(): Promise<Hex> {
  const { rpcUrl, accounts } = network.l1;
  return withWallet({ rpcUrl, key: accounts.faucet.key }, async (wallet) => {
    const rollup = new Contract(network.descriptor.l1.rollup, [...RollupAbi], wallet);
    const stakeId = (await rollup.getFunction('stakeCount')()) as bigint;
    await (await rollup.getFunction('newStake').send(wallet.address, { value: ETHER })).wait();
    const { standsOn } = (await rollup.getFunction('stakeOf')(stakeId)) as { standsOn: Hex };
    const { target } = (await rollup.getFunction('nodeOf')(standsOn)) as { target: bigint };
    const state = { blockHash: `0x${'66'.repeat(32)}`, sendRoot: `0x${'77'.repeat(32)}`, batch: target, offset: 0n };
    const nodeId = (await rollup.getFunction('create').staticCall(stakeId, standsOn, state, '')) as Hex;
    await (await rollup.getFunction('create').send(stakeId, standsOn, state, '')).wait();
    return nodeId;
  });
}

test('a validator stakes, asserts what is final, and confirms; a watcher finds it right', async () => {
  await passTime(15);
  await eventually('an assertion', () => shown().pending > 0);
  assert.equal(shown().state, 'sound');
  await passTime(40);
  await eventually('its confirmation', () => (shown().confirmedBatch ?? 0) > 0);
  // The stake goes on by itself.
  const first = shown().confirmedBatch ?? 0;
  await eventually('another one further on', async () => {
    await passTime(45);
    return (shown().confirmedBatch ?? 0) > first;
  });
  assert.equal(shown().mode, 'watching');
  assert.ok((shown().confirmedBlock ?? Number.POSITIVE_INFINITY) <= watcher.rollup.heads().safe.number);
});

test('a false assertion is an alarm with both values on every node, over a restart, and rivals it with the truth', async () => {
  await passTime(15);
  const nodeId = await eventually('the liar to be in time', () => assertFalsehood().catch(() => undefined));
  const alarm = await eventually('the alarm', () => shown().false.find((one) => one.nodeId === nodeId));
  assert.equal(alarm.status, 'live');
  assert.equal(alarm.asserted.blockHash, `0x${'66'.repeat(32)}`);
  assert.match(alarm.derived?.blockHash ?? '', /^0x[0-9a-f]{64}$/);
  assert.notEqual(alarm.derived?.blockHash, alarm.asserted.blockHash);
  // Not confirmed while the truth lives beside it: the validator makes or backs it by itself.
  await eventually('the truth beside it', () => shown().pending >= 2);
  const confirmed = shown().confirmedBatch;
  await passTime(60);
  assert.equal(shown().confirmedBatch, confirmed);

  await watcher.stop();
  watcher = await network.startFollower('watcher');
  await eventually('the alarm after a restart', () => shown().false.some((one) => one.nodeId === nodeId));
});
