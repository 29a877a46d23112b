import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256 } from 'ethers';
import type { DroppedTransaction } from '../../../../../appliance/rollup/derive/dropped.ts';
import type { RpcDeps } from '../../../../../appliance/rollup/rpc/rpc-deps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { alice, input, openChain, rules, type TestChain, transfer } from '../execute/chain-fixture.ts';
import { ask, emptyBook, rpcOf } from './rpc-fixture.ts';

const hashOf = (raw: Uint8Array): Hex => keccak256(raw) as Hex;

async function statusOf(chain: TestChain, raw: Uint8Array, more: Partial<RpcDeps> = {}): Promise<unknown> {
  const { result } = await ask(rpcOf(chain, more), 'nectar_transactionStatus', hashOf(raw));
  return result;
}

function bookWith(raw: Uint8Array) {
  const book = emptyBook();
  const signed = parseTransaction(raw, rules);
  assert.ok(typeof signed === 'object');
  book.add(signed);
  return book;
}

test('a transaction is unknown, forwarded or pending, in a block, safe with its batch, final', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  assert.deepEqual(await statusOf(chain, raw), { state: 'unknown' });
  const pending = bookWith(raw);
  assert.deepEqual(await statusOf(chain, raw, { pending }), { state: 'forwarded' });
  assert.deepEqual(await statusOf(chain, raw, { pending, isOrderedHere: () => true }), { state: 'pending' });
  const { hash } = await chain.executor.build(input(1, [raw]));
  const place = { block: { number: '0x1', hash }, index: '0x0' };
  assert.deepEqual(await statusOf(chain, raw, { pending }), { state: 'included', ...place });
  await chain.executor.setHeads({ safe: 1n });
  assert.deepEqual(await statusOf(chain, raw), { state: 'safe', ...place, batch: { batch: '0x0' } });
  await chain.executor.setHeads({ finalized: 1n });
  assert.deepEqual(await statusOf(chain, raw), { state: 'finalized', ...place, batch: { batch: '0x0' } });
});

test('one that is dropped says by whom and why: derivation, the sequencer, or another of its nonce', async () => {
  await using chain = await openChain();
  const [raw, other] = [await transfer(alice, 0), await transfer(alice, 0, { value: 9n })];
  const l1 = { number: 9n, hash: hashOf(Uint8Array.of(9)) };
  const dropped: DroppedTransaction = { what: 'transaction', sequenceNumber: 4n, block: 7n, reason: 'nonce-high', l1 };
  const findDropped = async (hash: Hex) => (hash === hashOf(raw) ? dropped : undefined);
  const shown = {
    ...{ state: 'dropped', by: 'derivation', reason: 'nonce-high', what: 'transaction', block: '0x7' },
    batch: { sequenceNumber: '0x4', l1: { number: '0x9', hash: l1.hash } },
  };
  assert.deepEqual(await statusOf(chain, raw, { findDropped }), shown);
  const pending = bookWith(raw);
  assert.deepEqual(await statusOf(chain, raw, { findDropped, pending }), shown, 'a book is no more than a guess');
  const own = { findDropped, pending, isOrderedHere: () => true };
  assert.deepEqual(await statusOf(chain, raw, own), { state: 'pending' }, 'sent again to the sequencer itself');
  const said = { state: 'dropped', by: 'sequencer', reason: 'expired' };
  assert.deepEqual(await statusOf(chain, raw, { pending, whyLost: async () => 'expired' }), said);
  await chain.executor.build(input(1, [other]));
  assert.deepEqual(await statusOf(chain, raw, { pending }), {
    ...{ state: 'dropped', by: 'chain', reason: 'another transaction took its nonce' },
  });
});

test('what the chain holds is what counts, whatever was dropped before', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  await chain.executor.build(input(1, [raw]));
  const l1 = { number: 9n, hash: hashOf(raw) };
  const findDropped = async () =>
    ({ what: 'transaction', sequenceNumber: 4n, block: 7n, reason: 'nonce-high', l1 }) as const;
  const status = (await statusOf(chain, raw, { findDropped })) as { state: string };
  assert.equal(status.state, 'included');
});

test('a transaction of the own account says how far it is past a silent sequencer', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  const forced = { hash: hashOf(raw), state: 'in-inbox' as const, waiting: 'the sequencer has a day' };
  assert.deepEqual(await statusOf(chain, raw, { unconfirmed: () => [forced] }), {
    ...{ state: 'forwarded', l1: 'in-inbox', waiting: 'the sequencer has a day' },
  });
});

test('one that waits in the Inbox says so, though a batch dropped it before', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  const l1 = { number: 9n, hash: hashOf(raw) };
  const findDropped = async () =>
    ({ what: 'message', sequenceNumber: 4n, block: 7n, reason: 'nonce-high', l1 }) as const;
  const waiting = { findDropped, findInInbox: async () => 3n };
  assert.deepEqual(await statusOf(chain, raw, waiting), { state: 'forwarded', l1: 'in-inbox', message: '0x3' });
});

test('what is no hash is refused', async () => {
  await using chain = await openChain();
  for (const bad of ['0x12', 7, null, undefined])
    assert.equal((await ask(rpcOf(chain), 'nectar_transactionStatus', bad)).error?.code, -32602);
});
