import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { createTestNetwork, eventually, type RunningNode, type TestNetwork } from './test-network.ts';

type Form = 'calldata' | 'blobs';

const alice = Wallet.createRandom();
/** No batch before the test says so: a batcher that starts with nothing to post looks again after this. */
const NO_BATCHES_MS = 600_000;
let network: TestNetwork;
let follower: RunningNode;
let nonce = 0;

before(async () => {
  network = await createTestNetwork({ rich: [alice.address.toLowerCase() as Hex] });
  follower = await network.startFollower('follower');
});
after(() => network?.stop());

async function call<T>({ rollup }: RunningNode, method: string, ...params: unknown[]): Promise<T> {
  const answer = (await rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as { result: T; error?: unknown };
  assert.equal(answer.error, undefined);
  return answer.result;
}

/** A block with a transfer that no batch holds, on L1 blocks that stay. Resolves with its hash. */
async function buildBlock(): Promise<string> {
  const sequencer = await network.startSequencer({ more: { batchIntervalMs: NO_BATCHES_MS, auditor: false } });
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gasLimit: 21_000 };
  const tx = { type: 2, chainId: 6328270n, nonce: nonce++, to: alice.address, value: 1n, ...fees };
  const hash = await call<string>(sequencer, 'eth_sendRawTransaction', await alice.signTransaction(tx));
  const receipt = await eventually('the receipt', () =>
    call<{ blockHash: string } | null>(sequencer, 'eth_getTransactionReceipt', hash).then(
      (found) => found ?? undefined,
    ),
  );
  await sequencer.stop();
  return receipt.blockHash;
}

/** Posts what is unposted in this form, and stops again. */
async function post(dataAvailability: Form, batch: number, block: string): Promise<void> {
  const sequencer = await network.startSequencer({ more: { dataAvailability, auditor: false } });
  const isFollowed = async (node: RunningNode): Promise<boolean> => {
    const shown = await call<{ source: Form } | null>(node, 'nectar_getBatch', `0x${batch.toString(16)}`);
    return shown?.source === dataAvailability && node.rollup.heads().safe.hash === block;
  };
  for (const node of [follower, sequencer])
    await eventually(`batch ${batch} in ${dataAvailability}`, () => isFollowed(node));
  await sequencer.stop();
}

for (const [batch, first, second] of [
  [0, 'blobs', 'calldata'],
  [1, 'calldata', 'blobs'],
] as const) {
  test(`a batch that L1 takes back in ${first} and has again in ${second} gives the same L2 blocks`, async () => {
    const block = await buildBlock();
    const before = await network.l1Send('evm_snapshot', []);
    await post(first, batch, block);
    assert.equal(await network.l1Send('evm_revert', [before]), true);
    await eventually('the safe head to go back', () => follower.rollup.heads().safe.hash !== block);
    await post(second, batch, block);
  });
}
