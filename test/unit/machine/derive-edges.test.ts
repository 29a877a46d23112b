import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createBlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import { AbiCoder, concat, Interface, keccak256, ZeroHash } from 'ethers';
import type { DerivedStep, DerivePlace } from '../../../machine/host/derive.ts';
import { createMachine } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { encodeBatch } from '../../../protocol/rollup/batch.ts';
import { encodeOrigin, parseOrigin } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { effectsOf } from '../../../protocol/rollup/delayed-message.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { EMPTY_SEND_ROOT, leafOf, sendRootOf } from '../../../protocol/rollup/send-tree.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  GENESIS,
  rules,
  testGenesis,
  transfer,
} from '../appliance/rollup/execute/chain-fixture.ts';
import { CANCUN, DEPLOYED_AT } from './derive-twins.ts';
import { createL1History, encodeHeader, type NewBatch, type NewMessage, toBlobs } from './l1-history.ts';
import { createMemoryPreimages, machineModule, putAll, putFresh } from './machine-fixture.ts';

const MAX_ORIGIN_AGE = 7_200;
const genesis = await testGenesis();

/** A machine on the genesis of the tests, beside an L1 that begins at its deployment. */
function createChain(machineRules = CANCUN) {
  const preimages = createMemoryPreimages();
  putAll(preimages, genesis.preimages);
  const history = createL1History({ number: DEPLOYED_AT, timestamp: GENESIS.timestamp }, preimages.put);
  const machine = createMachine(machineModule, machineRules, preimages);
  const place = (accumulator: Hex, head: Hex): DerivePlace => ({
    ...{ deployedAt: DEPLOYED_AT, accumulator, head, offset: 0n },
  });
  return {
    history,
    preimages,
    machine,
    place,
    derive(accumulator: Hex, head: Hex): DerivedStep[] {
      const steps: DerivedStep[] = [];
      for (const step of machine.deriveBatch(place(accumulator, head))) {
        putFresh(preimages, step);
        steps.push(step);
      }
      return steps;
    },
    /** Mines one L1 block and returns the accumulator after its batch. */
    post(batch: NewBatch, messages: readonly NewMessage[] = []): Hex {
      const { events } = history.mine(12n, messages, [batch]);
      const last = events.at(-1);
      assert(last?.kind === 'batch');
      return last.afterAcc;
    },
  };
}

const calldata = (data: Uint8Array, delayedCount = 0n): NewBatch => ({ source: 'calldata', data, delayedCount });
const cursorOf = (header: Uint8Array | undefined) =>
  parseOrigin(createBlockHeaderFromRLP(header ?? assert.fail('no block'), { common: rules }));

test('the walk to an origin is a day long at most, and none where the numbers decide', () => {
  const { history, preimages, derive, post } = createChain();
  const { number, hash } = history.tip();
  for (let i = 1; i < MAX_ORIGIN_AGE; i += 1) history.mine(12n, [], []);
  for (const rule of [undefined, 'origin-too-old']) {
    preimages.asked.clear();
    const block = { timestamp: GENESIS.timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
    const [step] = derive(post(calldata(encodeBatch([block]))), genesis.hash);
    assert.equal(step?.broken?.rule, rule);
    assert.equal(step?.block !== undefined, rule === undefined);
    const walked = [...preimages.asked.values()].filter(({ kind }) => kind === 'l1-header').length;
    assert.equal(walked, rule === undefined ? MAX_ORIGIN_AGE : 0);
  }
});

test('an origin that no L1 block has is compared and never opened', () => {
  const { derive, post, preimages } = createChain();
  const hash: Hex = `0x${'ee'.repeat(32)}`;
  const block = {
    timestamp: GENESIS.timestamp,
    l1Origin: { number: DEPLOYED_AT, hash },
    delayedMessages: 0,
    transactions: [],
  };
  const steps = derive(post(calldata(encodeBatch([block]))), genesis.hash);
  assert.deepEqual(
    steps.map(({ head, next, broken, block: made }) => ({ head, next, broken, made })),
    [{ head: genesis.hash, next: undefined, broken: { index: 0, count: 1, rule: 'origin' }, made: undefined }],
  );
  assert.equal(preimages.asked.has(`l1-header ${hash}`), false);
});

test('a rule that the second block breaks is said once, and what is owed is read on offsets past the batch', () => {
  const { history, derive, post } = createChain();
  const { number, hash } = history.tip();
  const good = { timestamp: GENESIS.timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
  const late = { ...good, timestamp: good.timestamp + 1_801n };
  const messages = Array.from({ length: 300 }, () => ({ kind: 9, data: '0x' as const }));
  const steps = derive(post(calldata(encodeBatch([good, late, late]), 300n), messages), genesis.hash);
  assert.deepEqual(
    steps.map(({ next, broken, block }) => [next, broken?.rule, block?.isObliged, block?.messages]),
    [
      [3n, 'timestamp', false, 0],
      [4n, undefined, true, 256],
      [undefined, undefined, true, 44],
    ],
  );
  assert.equal(steps[1]?.block?.ignored[255]?.reason, 'unknown kind 9');
});

test('the inputs of a large batch come in several answers, each within its limit', () => {
  const { history, preimages, machine, place, post } = createChain();
  const { number, hash } = history.tip();
  const empty = { timestamp: GENESIS.timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
  const large = { ...empty, transactions: [new Uint8Array(3_700_000)] };
  const accumulator = post(calldata(encodeBatch([large, ...Array.from({ length: 4_095 }, () => empty)])));
  const first = machine.deriveInputs(place(accumulator, genesis.hash));
  assert.ok(first.next !== undefined && first.next < 4_096n, `${first.next}`);
  assert.equal(BigInt(first.blocks.length), first.next);
  // A head like the one that these blocks make: what is asked of it is where it stands.
  const fields = { number: first.next, timestamp: GENESIS.timestamp, gasLimit: GENESIS.gasLimit, baseFeePerGas: 7n };
  const extraData = encodeOrigin({ number, delayedMessages: 0n });
  const header = createBlockHeader({ ...fields, extraData }, { common: rules });
  preimages.put('header', bytesToHex(header.hash()), header.serialize());
  const rest = machine.deriveInputs({ ...place(accumulator, bytesToHex(header.hash())), offset: first.next });
  assert.deepEqual([first.blocks.length + rest.blocks.length, rest.next], [4_096, undefined]);
});

test('a batch is as good in blobs as in calldata, and no blob is no answer', () => {
  const { history, derive, post, preimages, machine, place } = createChain();
  const { number, hash } = history.tip();
  const block = { timestamp: GENESIS.timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
  const data = encodeBatch([block, { ...block, transactions: [new Uint8Array(1_000).map((_, i) => i * 7)] }]);
  const blobs = toBlobs(data);
  const accumulator = post({ source: 'blobs', data, delayedCount: 0n, blobs: [...blobs, new Uint8Array(131_072)] });
  const steps = derive(accumulator, genesis.hash);
  assert.deepEqual(
    steps.map(({ isMalformed, block: made }) => [isMalformed, made?.dropped.length]),
    [
      [false, 0],
      [false, 1],
    ],
  );
  const without = createMachine(machineModule, CANCUN, {
    get: preimages.get,
    getInbox: (kind, key) => (kind === 'blob' ? undefined : preimages.getInbox?.(kind, key)),
  });
  assert.throws(
    () => without.deriveBlock(place(accumulator, genesis.hash)),
    (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
  );
  const deaf = createMachine(machineModule, CANCUN, { get: preimages.get });
  assert.throws(
    () => deaf.deriveBlock(place(accumulator, genesis.hash)),
    (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
  );
  assert.deepEqual(machine.deriveBlock(place(accumulator, genesis.hash)), steps[0]);
});

test('what a preimage cannot be is a fault, and the machine goes on', () => {
  const { preimages, machine, place, post } = createChain();
  const accumulator = post({ source: 'forced', data: new Uint8Array(), delayedCount: 0n });
  const short: Hex = `0x${'ab'.repeat(32)}`;
  preimages.put('accumulator', short, new Uint8Array(255));
  assert.throws(
    () => machine.deriveBlock(place(short, genesis.hash)),
    (error) => isNectarError(error, 'ROLLUP_MACHINE_FAULT'),
  );
  const { head, block, next } = machine.deriveBlock(place(accumulator, genesis.hash));
  assert.deepEqual([head, block, next], [genesis.hash, undefined, undefined]);
});

test('a message of a type that a later fork brought runs where the fork has it, whatever TypeScript decodes', async () => {
  const authorization = await bob.authorize({ address: `0x${'12'.repeat(20)}`, nonce: 0, chainId: CHAIN_ID });
  const data = (await alice.signTransaction({
    ...{ type: 4, chainId: CHAIN_ID, nonce: 0, to: bob.address, gasLimit: 100_000, value: 1n },
    ...{ maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1n, authorizationList: [authorization] },
  })) as Hex;
  const { transactions } = effectsOf([{ index: 0n, kind: 1, data }], { gasLimit: GENESIS.gasLimit });
  assert.equal(transactions.length, 1);
  for (const [fork, dropped] of [
    ['prague', []],
    ['cancun', [{ index: 0, obstacle: 'undecodable' }]],
  ] as const) {
    const { derive, post } = createChain({ ...CANCUN, fork });
    const accumulator = post({ source: 'forced', data: new Uint8Array(), delayedCount: 1n }, [{ kind: 1, data }]);
    const [step] = derive(accumulator, genesis.hash);
    assert.deepEqual([step?.block?.forced, step?.block?.ignored, step?.block?.dropped], [1, [], dropped]);
  }
});

test('a fork that this version does not know stops derivation', () => {
  const { derive, post } = createChain();
  const data = AbiCoder.defaultAbiCoder().encode(['uint64', 'uint8'], [5n, 1]) as Hex;
  const messages = [{ kind: 2, data }, ...Array.from({ length: 256 }, () => ({ kind: 9, data: '0x' as const }))];
  const accumulator = post({ source: 'forced', data: new Uint8Array(), delayedCount: 257n }, messages);
  assert.throws(
    () => derive(accumulator, genesis.hash),
    (error) => isNectarError(error, 'ROLLUP_BLOCK_INPUT_INVALID'),
  );
});

test('the send root is that of the tree of messages to L1', async () => {
  const { history, derive, post } = createChain();
  const { number, hash } = history.tip();
  const to: Hex = `0x${'12'.repeat(20)}`;
  const call = new Interface(['function sendMessage(address,bytes)']).encodeFunctionData('sendMessage', [to, '0x0102']);
  const raw = await transfer(alice, 0, { to: PREDEPLOYS.messenger, value: 7n, data: call });
  const block = { timestamp: GENESIS.timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
  const steps = derive(post(calldata(encodeBatch([block, { ...block, transactions: [raw] }]))), genesis.hash);
  const leaf = leafOf({ nonce: 0n, from: addressOf(alice), to, value: 7n, data: '0x0102' });
  assert.deepEqual(
    steps.map(({ sendRoot }) => sendRoot),
    [EMPTY_SEND_ROOT, sendRootOf([leaf])],
  );
});

interface Place {
  readonly blockNumber: number;
  readonly timestamp: number;
  readonly parentHash?: Hex;
}
/** What Accumulators.t.sol replays on the contracts. */
interface Step {
  readonly accumulator: Hex;
  readonly message?: Place & { kind: number; sender: Hex; data: Hex };
  readonly batch?: Place & { data?: Hex; versionedHashes?: readonly Hex[]; delayedCount: number };
}
const VECTORS = new URL('../../contracts/vectors/accumulators.json', import.meta.url);
const BATCH_TYPES = ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'uint8'];

test('the accumulators that the contracts keep open to what the contracts took', () => {
  const { steps } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { steps: readonly Step[] };
  const { preimages, machine } = createChain();
  const put = (types: readonly string[], values: readonly unknown[]): Hex => {
    const bytes = AbiCoder.defaultAbiCoder().encode(types, values) as Hex;
    preimages.put('accumulator', keccak256(bytes) as Hex, hexToBytes(bytes));
    return keccak256(bytes) as Hex;
  };
  const messageAccs: Hex[] = [];
  let [batchAcc, head] = [ZeroHash as Hex, genesis.hash];
  for (const { message, batch, accumulator } of steps) {
    if (message !== undefined) {
      const { kind, sender, data, blockNumber, timestamp } = message;
      preimages.put('data', keccak256(data) as Hex, hexToBytes(data));
      const types = ['uint8', 'address', 'bytes32', 'uint256', 'uint256'];
      const hash = put(types, [kind, sender, keccak256(data), blockNumber, timestamp]);
      messageAccs.push(put(['bytes32', 'bytes32'], [messageAccs.at(-1) ?? ZeroHash, hash]));
      assert.equal(messageAccs.at(-1), accumulator);
    } else if (batch !== undefined) {
      const { data, versionedHashes = [], delayedCount, blockNumber, timestamp, parentHash } = batch;
      const content = (data ?? concat(versionedHashes)) as Hex;
      preimages.put('data', keccak256(content) as Hex, hexToBytes(content));
      for (const hash of versionedHashes) preimages.put('blob', hash, new Uint8Array(131_072));
      // The vectors' parent hashes are made up: what they stand for is, too.
      const parent = {
        number: BigInt(blockNumber) - 1n,
        timestamp: BigInt(timestamp) - 12n,
        parentHash: ZeroHash as Hex,
      };
      preimages.put('l1-header', parentHash ?? assert.fail(), hexToBytes(encodeHeader(parent, 6)));
      const delayed = messageAccs[delayedCount - 1] ?? ZeroHash;
      const values = [batchAcc, keccak256(content), delayed, delayedCount, blockNumber, timestamp, parentHash];
      batchAcc = put(BATCH_TYPES, [...values, data === undefined ? 1 : 0]);
      assert.equal(batchAcc, accumulator);
      for (const step of machine.deriveBatch({ deployedAt: 999n, accumulator, head })) {
        putFresh(preimages, step);
        head = step.head;
        if (step.block === undefined) continue;
        const cursor = cursorOf(step.block.header);
        assert.deepEqual([cursor.number, cursor.delayedMessages], [parent.number, BigInt(delayedCount)]);
      }
    }
  }
  const header = preimages.get('header', hexToBytes(head));
  assert.deepEqual(cursorOf(header), {
    number: 1_011n,
    delayedMessages: 4n,
    parameters: { feeFloorWei: 10n ** 9n, fork: 0 },
  });
});
