import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256, Wallet } from 'ethers';
import { createDeriveStore, type L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import { findDropped } from '../../../../../appliance/rollup/derive/dropped.ts';
import { findInInbox } from '../../../../../appliance/rollup/derive/inbox-transactions.ts';
import { createL1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import type { BlockInput } from '../../../../../protocol/rollup/block-input.ts';
import { createChainDouble, GENESIS } from './chain-double.ts';
import { createInlineDeriver } from './inline-deriver.ts';
import { createL1Double } from './l1-double.ts';

const { deriveInputs } = createInlineDeriver();
const zero: Hex = `0x${'00'.repeat(32)}`;
const { signal } = new AbortController();
const options = { checkUnsafe: false, onDerived: () => {} };
const wallet = new Wallet(`0x${'11'.repeat(32)}`);

/** Drops what cannot run, as execution would: here whatever begins with 0xee. */
function create() {
  const l1 = createL1Double();
  const { number, hash, timestamp } = l1.tip();
  const safe = { ...GENESIS, originNumber: number, messagesRead: 0n };
  const counts = { batchCount: 0n, batchAcc: zero, messageCount: 0n, messagesAllowed: 0n };
  const genesis: L1Record = { number, hash, timestamp, ...counts, safe };
  const double = createChainDouble();
  const engine = {
    ...double,
    async appendSafe(input: BlockInput) {
      const appended = await double.appendSafe(input);
      const dropped = input.transactions.flatMap((raw, index) =>
        raw[0] === 0xee ? [{ index, obstacle: 'nonce-high' }] : [],
      );
      return { ...appended, dropped };
    },
  };
  const begin = () => {
    const store = createDeriveStore(engine, genesis);
    const steps = createL1Steps({ l1, engine, store, genesis, deriveInputs });
    const find = (raw: Uint8Array | Hex) =>
      findDropped(keccak256(raw) as Hex, { record: engine.record, find: (at) => store.find(at) });
    const inInbox = (raw: Hex) => findInInbox(keccak256(raw) as Hex, { ...store, record: engine.record });
    return { steps, find, inInbox };
  };
  const first = { timestamp, l1Origin: { number, hash }, delayedMessages: 0 };
  return { l1, begin, first };
}

test('a transaction that a batch holds and no block is found by its hash, over a restart, until L1 takes the batch back', async () => {
  const { l1, begin, first } = create();
  const [good, bad] = [Uint8Array.of(1, 2), Uint8Array.of(0xee, 1)];
  l1.mine({
    deposits: 0,
    batches: [{ data: encodeBatch([{ ...first, transactions: [good, bad] }]), delayedCount: 0n }],
  });
  const node = begin();
  await node.steps.advance(options, signal);
  const place = { number: l1.tip().number, hash: l1.tip().hash };
  const said = { what: 'transaction', sequenceNumber: 0n, block: 1n, reason: 'nonce-high', l1: place };
  assert.deepEqual(await node.find(bad), said);
  assert.equal(await node.find(good), undefined);
  const again = begin();
  assert.deepEqual(await again.find(bad), said);
  l1.revert(1);
  l1.mine({ deposits: 0, batches: [] });
  await again.steps.reset(signal);
  await again.steps.advance(options, signal);
  assert.equal(await again.find(bad), undefined);
});

test('the transactions of blocks that break a rule, and a forced one that no block may hold, are found too', async () => {
  const { l1, begin, first } = create();
  const raw = (await wallet.signTransaction({ type: 2, chainId: 7, to: wallet.address, gasLimit: 7_500_001 })) as Hex;
  const ahead = { ...first, timestamp: first.timestamp + 10_000n };
  const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
  const data = encodeBatch([
    { ...ahead, transactions: [one] },
    { ...ahead, transactions: [two] },
  ]);
  l1.mine({ deposits: 0, messages: [{ kind: 1, data: raw }], batches: [{ data, delayedCount: 1n }] });
  const { steps, find } = begin();
  await steps.advance(options, signal);
  for (const lost of [one, two]) {
    const dropped = await find(lost);
    assert.equal(dropped?.what, 'blocks');
    assert.equal(dropped?.reason, 'block 1 of 2 of the batch breaks the rule on timestamp');
  }
  const forced = await find(raw);
  assert.equal(forced?.what, 'message');
  assert.match(forced?.reason ?? '', /asks for more than a quarter of the gas/);
});

test('a transaction in the Inbox is found until a batch has read it, and no more when L1 takes it back', async () => {
  const { l1, begin } = create();
  const raw = (await wallet.signTransaction({ type: 2, chainId: 7, to: wallet.address, gasLimit: 21_000 })) as Hex;
  const message = { deposits: 1, messages: [{ kind: 1, data: raw }], batches: [] };
  l1.mine(message);
  const { steps, inInbox } = begin();
  await steps.advance(options, signal);
  assert.equal(await inInbox(raw), 1n);
  assert.equal(await begin().inInbox(raw), 1n, 'after a restart');
  assert.equal(await inInbox('0x01'), undefined);
  l1.revert(1);
  l1.mine({ deposits: 2, batches: [] });
  await steps.reset(signal);
  await steps.advance(options, signal);
  assert.equal(await inInbox(raw), undefined, 'its number is another message now');
  l1.mine({ ...message, deposits: 0 });
  await steps.advance(options, signal);
  assert.equal(await inInbox(raw), 2n);
  l1.mine({ deposits: 0, batches: [{ data: new Uint8Array(), delayedCount: 3n }] });
  await steps.advance(options, signal);
  assert.equal(await inInbox(raw), undefined, 'it was read');
});
