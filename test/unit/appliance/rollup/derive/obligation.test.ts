import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbiCoder, hexlify, Wallet } from 'ethers';
import { createDeriveStore, type L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import type { Derived, DeriverDeps } from '../../../../../appliance/rollup/derive/deriver.ts';
import { createL1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { type BatchBlock, encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import type { BlockInput } from '../../../../../protocol/rollup/block-input.ts';
import { createChainDouble, GENESIS } from './chain-double.ts';
import { createInlineDeriver } from './inline-deriver.ts';
import { createL1Double, type Delivery } from './l1-double.ts';

const inline = createInlineDeriver();
const CHAIN_ID = 7n;
const zero: Hex = `0x${'00'.repeat(32)}`;
const encode = (types: string[], values: unknown[]): Hex => AbiCoder.defaultAbiCoder().encode(types, values) as Hex;

/** Derives what L1 says from its start, and keeps every input that became a block. */
async function derive(
  plan: (tip: { number: bigint; hash: Hex; timestamp: bigint }) => readonly Delivery[],
  deriveInputs: DeriverDeps['deriveInputs'] = inline.deriveInputs,
) {
  const l1 = createL1Double();
  const { number, hash, timestamp } = l1.tip();
  const safe = { ...GENESIS, originNumber: number, messagesRead: 0n };
  const counts = { batchCount: 0n, batchAcc: zero, messageCount: 0n, messagesAllowed: 0n };
  const genesis: L1Record = { number, hash, timestamp, ...counts, safe };
  const inputs: BlockInput[] = [];
  const double = createChainDouble();
  const engine = {
    ...double,
    async appendSafe(input: BlockInput) {
      inputs.push(input);
      return double.appendSafe(input);
    },
  };
  const store = createDeriveStore(engine, genesis);
  const steps = createL1Steps({ l1, engine, store, genesis, deriveInputs });
  const derived: Derived[] = [];
  for (const delivery of plan({ number, hash, timestamp })) l1.mine(delivery);
  const { signal } = new AbortController();
  await steps.advance({ checkUnsafe: false, onDerived: (each) => derived.push(each) }, signal);
  return { l1, inputs, derived, cursor: await store.cursor(), dropped: derived.flatMap((each) => each.dropped) };
}

const depositsOf = (inputs: readonly BlockInput[]): bigint[] =>
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

test('a batch goes on where it was, also in a thread that began anew in the middle of it', async () => {
  const plan = (): Delivery[] => [
    { deposits: 1_100, batches: [] },
    { deposits: 0, batches: [{ data: new Uint8Array(), delayedCount: 1_100n }] },
  ];
  const offsets: bigint[] = [];
  const whole = await derive(plan, (place, preimages) => {
    offsets.push(place.offset);
    return inline.deriveInputs(place, preimages);
  });
  assert.deepEqual(offsets, [0n, 2n, 4n], 'two blocks of messages an answer');
  const again: [bigint, boolean][] = [];
  const broken = await derive(plan, async (place, preimages) => {
    inline.forget();
    const answer = inline.deriveInputs(place, preimages);
    again.push([place.offset, await answer.then(() => true).catch(() => false)]);
    return answer;
  });
  assert.deepEqual(again, [
    [0n, true],
    [2n, false],
    [2n, true],
    [4n, false],
    [4n, true],
  ]);
  assert.deepEqual(broken.inputs, whole.inputs);
});

test('a preimage that the records do not hold is a fault that names it, and no verdict', async () => {
  const plan = (): Delivery[] => [{ deposits: 2, batches: [{ data: new Uint8Array(), delayedCount: 2n }] }];
  for (const part of ['list', 'links'] as const)
    await assert.rejects(
      derive(plan, (place, preimages) => {
        inline.forget();
        return inline.deriveInputs(place, { ...preimages, [part]: new Uint8Array() });
      }),
      (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
    );
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
