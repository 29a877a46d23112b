import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AbiCoder, keccak256, Wallet } from 'ethers';
import { createBatchArchive } from '../../../appliance/rollup/blobs/batch-archive.ts';
import { createDisputeMachine } from '../../../appliance/rollup/challenge/dispute-machine.ts';
import { createStatesAfter } from '../../../appliance/rollup/challenge/disputed-chain.ts';
import { createIterationAnswers } from '../../../appliance/rollup/challenge/iteration-answers.ts';
import type { Rivalry } from '../../../appliance/rollup/challenge/rivalry.ts';
import { findDisputeFiles } from '../../../appliance/rollup/challenge/tracer-thread.ts';
import { createDeriveStore } from '../../../appliance/rollup/derive/derive-store.ts';
import { createChainDatabase } from '../../../appliance/rollup/execute/chain-database.ts';
import { createSealer } from '../../../appliance/rollup/execute/sealer.ts';
import { createJsonRpc } from '../../../appliance/rollup/l1/json-rpc.ts';
import { forkOf, rulesOf } from '../../../appliance/rollup/network-rules.ts';
import { createAccumulatorOf } from '../../../appliance/rollup/own-challenges.ts';
import { createDerivedState } from '../../../appliance/rollup/validator/derived-state.ts';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import { type DisputeConfig, encodeConfig } from '../../../machine/tracer/iteration.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { globalStateHash, machineInput } from '../../../protocol/dispute/global-state.ts';
import { FLAG_OK } from '../../../protocol/dispute/machine-state.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { EMPTY_SEND_ROOT } from '../../../protocol/rollup/send-tree.ts';
import { createTestNetwork, DATABASE_KEY, ETHER, eventually, type TestNetwork } from './test-network.ts';

const alice = Wallet.createRandom();
const who = alice.address.toLowerCase() as Hex;
const END = 2n ** 40n;
const ZERO: Hex = `0x${'00'.repeat(32)}`;
let network: TestNetwork;
/** The L2 block of the deposit, and that of the transfer. */
let blocks: readonly bigint[];

before(async () => {
  network = await createTestNetwork({ rich: [who] });
  const sequencer = await network.startSequencer();
  const follower = await network.startFollower('follower');
  const { rpcUrl, accounts } = network.l1;
  const ask = async (method: string, ...params: unknown[]): Promise<unknown> =>
    ((await sequencer.rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as { result?: unknown }).result;
  const { inbox } = network.descriptor.l1;
  const to: Hex = `0x${'44'.repeat(20)}`;
  await depositEth({ rpcUrl, key: accounts.faucet.key }, { inbox, to, amountWei: ETHER });
  const deposited = await eventually('the deposit', async () => {
    const { number } = follower.rollup.heads().safe;
    return BigInt(String(await ask('eth_getBalance', to, 'latest'))) > 0n && number > 0n ? number : undefined;
  });
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gasLimit: 21_000 };
  const transfer = { type: 2, chainId: 6328270n, nonce: 0, to, value: 1n, ...fees };
  const hash = await ask('eth_sendRawTransaction', await alice.signTransaction(transfer));
  const mined = await eventually('the transfer', async () => {
    const receipt = (await ask('eth_getTransactionReceipt', hash)) as { blockNumber: Hex } | null;
    return receipt === null ? undefined : BigInt(receipt.blockNumber);
  });
  await eventually('the transfer to be safe', () => follower.rollup.heads().safe.number >= mined);
  blocks = [deposited, mined];
  await follower.stop();
});

after(() => network?.stop());

test('the machine makes of what a node has on its disk, and of L1, the blocks that the node derived', async () => {
  const { descriptor, folder, l1 } = network;
  const path = join(folder, 'follower');
  const rules = rulesOf(descriptor);
  const sealer = createSealer(DATABASE_KEY, (size) => randomBytes(size));
  const database = createChainDatabase(
    { path, databaseKey: DATABASE_KEY, cacheBytes: 1 << 20, durable: false },
    { sealer, rules },
  );
  await database.open();
  const records = { record: database.record, putRecords: () => assert.fail('nothing is written') };
  const { number, hash, timestamp } = descriptor.l1.deployedAt;
  const begun = { number: BigInt(number), hash, timestamp: BigInt(timestamp) };
  const counts = { batchCount: 0n, batchAcc: ZERO, messageCount: 0n, messagesAllowed: 0n };
  const block0 = { number: 0n, hash: descriptor.l2.genesisHash, timestamp: 0n };
  const safe = { ...block0, originNumber: begun.number, messagesRead: 0n };
  const store = createDeriveStore(records, { ...begun, ...counts, safe });
  const l1Rpc = createJsonRpc({ urls: [l1.rpcUrl], timeoutMs: 60_000, maxResponseBytes: 8 << 20 });
  const accumulatorOf = createAccumulatorOf(descriptor.l1.sequencerInbox, l1Rpc);
  const archive = createBatchArchive({ maxBytes: 1 << 30, maxL1Blocks: 0 }, records);
  const config: DisputeConfig = {
    chainId: BigInt(descriptor.l2.chainId),
    ...forkOf(descriptor),
    deployedAt: begun.number,
  };
  const words = [keccak256(encodeConfig(config)), ...Array.from({ length: 6 }, () => ZERO)];
  const rollupConfig = AbiCoder.defaultAbiCoder().encode(['bytes32[7]'], [words]) as Hex;
  const machine = createDisputeMachine(
    {
      config,
      files: findDisputeFiles() ?? assert.fail('the guest is not here'),
      database: { path, databaseKey: DATABASE_KEY, cacheBytes: 1 << 20 },
    },
    {
      answersOf: createIterationAnswers(config, { archive, store, blockOf: database.block, l1Rpc, accumulatorOf }),
      proofs: { prove: () => assert.fail('nothing is proved'), require: () => assert.fail('nothing is proved') },
      proveElement: () => assert.fail('there is no blob'),
    },
  );
  const derive = createDerivedState({
    store,
    engine: { hashOf: database.canonicalHash },
    sendRootAt: async () => EMPTY_SEND_ROOT,
  });
  const statesAfter = createStatesAfter(derive, () => new Error('not derived'));
  try {
    for (const block of new Set(blocks)) {
      const batch = (await store.findBatch(block))?.sequenceNumber ?? assert.fail('no batch has the block');
      const before = await derive({ batch, offset: 0n });
      assert.ok(typeof before === 'object');
      const { block: from, ...start } = before;
      const [state, after] = await statesAfter(start, batch + 1n, [block - from - 1n, block - from]);
      assert.ok(state && after);
      const task = {
        target: batch + 1n,
        accumulator: await accumulatorOf(batch),
        configHash: keccak256(rollupConfig) as Hex,
      };
      const rivalry = { rollupConfig } as Rivalry;
      const run = await machine.openRun({ rivalry, state, task, input: machineInput(state, task) });
      const { flag, output, input } = await run.openAt(END);
      assert.deepEqual([flag, bytesToHex(output)], [FLAG_OK, globalStateHash(after)]);
      assert.equal(bytesToHex(input), machineInput(state, task));
    }
    const foreign = { rollupConfig: `0x${'11'.repeat(7 * 32)}` } as unknown as Rivalry;
    const state = { blockHash: ZERO, sendRoot: ZERO, batch: 0n, offset: 0n };
    const task = { target: 0n, accumulator: ZERO, configHash: ZERO };
    await assert.rejects(machine.openRun({ rivalry: foreign, state, task, input: ZERO }), {
      code: 'DISPUTE_MACHINE_MISSING',
    });
  } finally {
    await machine.close();
    await database.close();
  }
});
