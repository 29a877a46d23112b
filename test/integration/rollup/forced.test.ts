import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseEther, toQuantity } from 'ethers';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { rederive } from './rederive.ts';
import {
  createTestNetwork,
  eventually,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

let network: TestNetwork;
let sequencer: SequencerNode;
let clinic: RunningNode;

before(async () => {
  network = await createTestNetwork();
  sequencer = await network.startSequencer();
  clinic = await network.startFollower('clinic', { forceAfterMs: 300, forwardTimeoutMs: 500 });
  const to = clinic.rollup.account.address();
  await depositEth(
    { rpcUrl: network.l1.rpcUrl, key: network.l1.accounts.faucet.key },
    { inbox: network.descriptor.l1.inbox, to, amountWei: parseEther('1') },
  );
  const isFunded = async () => {
    const params = [to, 'safe'];
    const answer = await clinic.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params });
    return BigInt((answer as { result: Hex }).result) > 0n;
  };
  await eventually('the deposit on L1 and L2', isFunded);
});

after(() => network?.stop());

interface Unconfirmed {
  readonly hash: Hex;
  readonly state: string;
  readonly waiting?: string;
}

async function unconfirmed(): Promise<readonly Unconfirmed[]> {
  const answer = await clinic.rollup.rpc({ jsonrpc: '2.0', id: 1, method: 'nectar_syncStatus', params: [] });
  return (answer as { result: { unconfirmed: Unconfirmed[] } }).result.unconfirmed;
}

test('a transaction that the sequencer takes and posts is confirmed, and nothing is forced', async () => {
  const hash = await clinic.rollup.account.send({ to: `0x${'11'.repeat(20)}`, data: '0x', valueWei: 1n });
  await eventually('the receipt', () => clinic.rollup.account.receipt(hash));
  await eventually('its confirmation', async () => (await unconfirmed()).length === 0);
});

test('past a silent sequencer a transaction of the node reaches L2 by the Inbox and forceInclusion', async () => {
  await sequencer.stop();
  const operator = clinic.rollup.account.address();
  await assert.rejects(
    clinic.rollup.account.send({ to: `0x${'22'.repeat(20)}`, data: '0x', valueWei: 7n }),
    /sequencer did not answer/,
  );
  // Nothing to pay with on L1: said, and tried again.
  await eventually('the reason', async () => (await unconfirmed())[0]?.waiting);
  await network.l1Send('anvil_setBalance', [operator, toQuantity(parseEther('1'))]);
  const sent = await eventually('the Inbox', async () =>
    (await unconfirmed()).find(({ state }) => state === 'in-inbox'),
  );
  assert.equal(await clinic.rollup.account.receipt(sent.hash), undefined);
  // Nobody may force what the sequencer still has time to read.
  await network.l1Send('evm_increaseTime', [120]);
  const receipt = await eventually('the receipt', () => clinic.rollup.account.receipt(sent.hash));
  assert.equal(receipt.status, 1);
  assert.ok(clinic.rollup.heads().safe.number >= receipt.blockNumber);
  await eventually('its confirmation', async () => (await unconfirmed()).length === 0);
});

test('a sequencer that comes back goes on from the block that L1 forced', async () => {
  const { hash, number } = clinic.rollup.heads().safe;
  sequencer = await network.startSequencer();
  await eventually('the forced block there', async () => sequencer.rollup.heads().safe.number >= number);
  const sent = await clinic.rollup.account.send({ to: `0x${'33'.repeat(20)}`, data: '0x', valueWei: 1n });
  await eventually('the receipt', () => clinic.rollup.account.receipt(sent));
  await eventually('its confirmation', async () => (await unconfirmed()).length === 0);
  const answer = await sequencer.rollup.rpc({
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_getBlockByNumber',
    params: [toQuantity(number), false],
  });
  assert.equal((answer as { result: { hash: Hex } }).result.hash, hash);
});

test('the machine derives the same chain from the hashes that L1 holds, forced block and all', async () => {
  const { number, hash } = clinic.rollup.heads().safe;
  const chain = await rederive(network);
  assert.ok(chain.length > Number(number), `${chain.length} blocks, safe head ${number}`);
  assert.equal(chain[Number(number)]?.hash, hash);
  // At least the forced transaction, by a block that no batch holds.
  assert.ok(chain.some(({ isObliged, forced }) => isObliged && forced > 0));
});
