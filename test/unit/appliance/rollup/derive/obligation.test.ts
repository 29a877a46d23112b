import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbiCoder, hexlify, Wallet } from 'ethers';
import { createDeriveStore, type L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import type { Derived } from '../../../../../appliance/rollup/derive/deriver.ts';
import type { DerivedInput } from '../../../../../appliance/rollup/derive/engine.ts';
import { createL1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { type BatchBlock, decodeBatch, encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import { effectsOf } from '../../../../../protocol/rollup/delayed-message.ts';
import { createChainDouble, GENESIS } from './chain-double.ts';
import { createL1Double, type Delivery } from './l1-double.ts';

const CHAIN_ID = 7n;
const zero: Hex = `0x${'00'.repeat(32)}`;
const encode = (types: string[], values: unknown[]): Hex => AbiCoder.defaultAbiCoder().encode(types, values) as Hex;

/** Derives what L1 says from its start, and keeps every input that became a block. */
async function derive(plan: (tip: { number: bigint; hash: Hex; timestamp: bigint }) => readonly Delivery[]) {
  const l1 = createL1Double();
  const { number, hash, timestamp } = l1.tip();
  const safe = { ...GENESIS, originNumber: number, messagesRead: 0n };
  const counts = { batchCount: 0n, batchAcc: zero, messageCount: 0n, messagesAllowed: 0n };
  const genesis: L1Record = { number, hash, timestamp, ...counts, safe };
  const inputs: DerivedInput[] = [];
  const double = createChainDouble();
  const engine = {
    ...double,
    async appendSafe(input: DerivedInput) {
      inputs.push(input);
      return double.appendSafe(input);
    },
  };
  const store = createDeriveStore(engine, genesis);
  const effects = (messages: Parameters<typeof effectsOf>[0]) => effectsOf(messages, { gasLimit: 30_000_000n });
  const steps = createL1Steps({ l1, engine, store, genesis, decodeBatch, effectsOf: effects });
  const derived: Derived[] = [];
  for (const delivery of plan({ number, hash, timestamp })) l1.mine(delivery);
  const { signal } = new AbortController();
  await steps.advance({ checkUnsafe: false, onDerived: (each) => derived.push(each) }, signal);
  return { l1, inputs, derived, cursor: await store.cursor(), dropped: derived.flatMap((each) => each.dropped) };
}

const depositsOf = (inputs: readonly DerivedInput[]): bigint[] =>
  inputs.flatMap(({ deposits }) => deposits.map(({ index }) => index));

test('a message that a batch marks as read is read, though the batch holds nothing', async () => {
  for (const data of [new Uint8Array(), Uint8Array.of(0xff, 1, 2), encodeBatch([])]) {
    const { l1, inputs, cursor, derived } = await derive(() => [
      { deposits: 3, batches: [] },
      { deposits: 0, batches: [{ data, delayedCount: 3n }] },
    ]);
    assert.deepEqual(depositsOf(inputs), [0n, 1n, 2n]);
    const parent = await l1.headerByNumber(l1.tip().number - 1n, new AbortController().signal);
    assert.deepEqual(inputs[0]?.l1Origin, { number: parent?.number, hash: parent?.hash }, 'the parent of the L1 block');
    assert.equal(inputs[0]?.timestamp, parent?.timestamp);
    assert.equal(cursor.safe.messagesRead, 3n);
    assert.equal(derived.at(-1)?.obliged, 1);
  }
});

test('what is owed and too much for one block takes several', async () => {
  const { inputs, cursor } = await derive(() => [
    { deposits: 600, batches: [] },
    { deposits: 0, batches: [{ data: new Uint8Array(), delayedCount: 600n }] },
  ]);
  assert.deepEqual(
    inputs.map(({ delayedMessages }) => delayedMessages),
    [256, 256, 88],
  );
  assert.equal(cursor.safe.messagesRead, 600n);
});

test('a block that breaks a rule goes with the rest of its batch, and what was owed is still read', async () => {
  const { inputs, dropped } = await derive(({ number, hash, timestamp }) => {
    const good: BatchBlock = { timestamp, l1Origin: { number, hash }, delayedMessages: 0, transactions: [] };
    const ahead = { ...good, timestamp: timestamp + 10_000n };
    const data = encodeBatch([good, ahead, { ...ahead, delayedMessages: 2 }]);
    return [{ deposits: 2, batches: [{ data, delayedCount: 2n }] }];
  });
  assert.deepEqual(
    inputs.map(({ delayedMessages }) => delayedMessages),
    [0, 2],
  );
  const reason = 'block 2 of 3 of the batch breaks the rule on timestamp';
  assert.deepEqual(dropped, [{ what: 'blocks', sequenceNumber: 0n, block: 2n, reason }]);
});

test('nothing is owed where the blocks of the batch read it', async () => {
  const { inputs, derived } = await derive(({ number, hash, timestamp }) => {
    const block: BatchBlock = { timestamp, l1Origin: { number, hash }, delayedMessages: 2, transactions: [] };
    return [{ deposits: 2, batches: [{ data: encodeBatch([block]), delayedCount: 2n }] }];
  });
  assert.equal(inputs.length, 1);
  assert.equal(derived.at(-1)?.obliged, 0);
});

test('a signed transaction that L1 forces runs before those of the sequencer, four in a block', async () => {
  const wallet = new Wallet(`0x${'11'.repeat(32)}`);
  const raw = async (nonce: number, gasLimit = 21_000): Promise<Hex> =>
    (await wallet.signTransaction({
      type: 2,
      chainId: CHAIN_ID,
      nonce,
      to: wallet.address,
      gasLimit,
      maxFeePerGas: 1,
      maxPriorityFeePerGas: 0,
    })) as Hex;
  const forced = await Promise.all([0, 1, 2, 3, 4].map((nonce) => raw(nonce)));
  const messages = [...forced.map((data) => ({ kind: 1, data })), { kind: 1, data: await raw(5, 7_500_001) }];
  const own = Uint8Array.of(1, 2, 3);
  const { inputs, dropped } = await derive(({ number, hash, timestamp }) => {
    const first: BatchBlock = { timestamp, l1Origin: { number, hash }, delayedMessages: 4, transactions: [own] };
    return [{ deposits: 0, messages, batches: [{ data: encodeBatch([first]), delayedCount: 6n }] }];
  });
  assert.deepEqual(
    inputs.map(({ transactions }) => transactions.map((each) => hexlify(each))),
    [[...forced.slice(0, 4), hexlify(own)], forced.slice(4)],
  );
  assert.deepEqual(
    dropped.map(({ what, reason }) => [what, reason]),
    [['message', 'message 5: asks for more than a quarter of the gas of a block']],
  );
});

test('the parameters of the chain come from a message of L1; a message of no known form does nothing', async () => {
  const { inputs, dropped } = await derive(() => [
    {
      deposits: 0,
      messages: [
        { kind: 2, data: encode(['uint64', 'uint8'], [5n, 0]) },
        { kind: 9, data: '0x' },
        { kind: 0, data: '0x1234' },
        { kind: 2, data: '0x01' },
      ],
      batches: [{ data: new Uint8Array(), delayedCount: 4n }],
    },
  ]);
  assert.deepEqual(inputs[0]?.parameters, { feeFloorWei: 5n, fork: 0 });
  assert.deepEqual(
    dropped.map(({ reason }) => reason),
    [
      'message 1: unknown kind 9',
      'message 2: not the encoding of a deposit',
      'message 3: not the encoding of parameters',
    ],
  );
});
