import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SubscriptionItem } from '../../../../../appliance/rollup/rpc/subscriptions.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { alice, input, openChain, rules, transfer } from '../execute/chain-fixture.ts';
import { emptyBook, rpcOf } from './rpc-fixture.ts';

const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;

function reader(items: AsyncGenerator<SubscriptionItem, void, void>) {
  return async (): Promise<SubscriptionItem | undefined> => (await items.next()).value ?? undefined;
}
const resultOf = (item: SubscriptionItem | undefined): Record<string, unknown> =>
  (item?.kind === 'event' ? item.result : assert.fail(JSON.stringify(item))) as Record<string, unknown>;

test('newHeads gives each header in order, and those of another chain after a reorganisation', async () => {
  await using chain = await openChain();
  const leaving = new AbortController();
  const next = reader(rpcOf(chain).subscribe(['newHeads'], 'a', leaving.signal));
  assert.deepEqual(await next(), { kind: 'opened' });
  const built = [(await chain.executor.build(input(1))).hash, (await chain.executor.build(input(2))).hash];
  for (const hash of built) assert.equal(resultOf(await next()).hash, hash);
  const first = next();
  await chain.executor.rewind(0n);
  const other = (await chain.executor.build(input(9))).hash;
  const head = resultOf(await first);
  assert.deepEqual([head.hash, head.number, head.transactions], [other, '0x1', undefined]);
  const last = next();
  leaving.abort();
  assert.equal(await last, undefined);
});

test('logs gives those that match, and takes them back', async () => {
  await using chain = await openChain();
  const signal = new AbortController().signal;
  const next = reader(rpcOf(chain).subscribe(['logs', { topics: [] }], 'a', signal));
  await next();
  await chain.executor.build(input(1, [await transfer(alice, 0, { to: null, value: 0n, data: ISSUE })]));
  const log = resultOf(await next());
  assert.equal(log.removed, false);
  const gone = next();
  await chain.executor.rewind(0n);
  assert.deepEqual(resultOf(await gone), { ...log, removed: true });
});

test('newPendingTransactions gives hashes or whole transactions, and ends when its reader falls too far behind', async () => {
  await using chain = await openChain();
  const book = emptyBook();
  const rpc = rpcOf(chain, { pending: book });
  const signal = new AbortController().signal;
  const hashes = reader(rpc.subscribe(['newPendingTransactions'], 'a', signal));
  const full = reader(rpc.subscribe(['newPendingTransactions', true], 'a', signal));
  await Promise.all([hashes(), full()]);
  const signed = parseTransaction(await transfer(alice, 0), rules);
  assert.ok(typeof signed === 'object');
  book.add(signed);
  assert.equal(resultOf(await hashes()), signed.hash);
  assert.equal(resultOf(await full()).hash, signed.hash);
  for (let n = 0; n < 4_097; n++) {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, n + 1);
    book.add({ ...signed, hash: bytesToHex(bytes) });
  }
  let item = await hashes();
  while (item?.kind === 'event') item = await hashes();
  assert.deepEqual(item, { kind: 'ended', reason: 'more than 4096 transactions waited for it' });
});

test('syncing tells when the node falls behind and when it follows the chain again', async () => {
  await using chain = await openChain();
  let target: bigint | undefined = 5n;
  const signal = new AbortController().signal;
  const next = reader(rpcOf(chain, { syncTarget: () => target }).subscribe(['syncing'], 'a', signal));
  await next();
  assert.deepEqual(resultOf(await next()), {
    syncing: true,
    status: { startingBlock: '0x0', currentBlock: '0x0', highestBlock: '0x5' },
  });
  const again = next();
  target = undefined;
  await chain.executor.build(input(1));
  assert.equal(resultOf(await again), false);
});

test('refuses what it does not know, and more than a caller may have', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const signal = new AbortController().signal;
  const first = async (params: unknown, caller = 'a') => reader(rpc.subscribe(params, caller, signal))();
  for (const params of [undefined, {}, [], ['none'], ['logs', { topics: ['0x12'] }]])
    assert.equal((await first(params))?.kind, 'refused', JSON.stringify(params));
  for (let made = 0; made < 64; made++) assert.equal((await first(['newHeads']))?.kind, 'opened');
  const refused = await first(['newHeads']);
  assert.ok(refused?.kind === 'refused' && refused.code === -32005);
  assert.equal((await first(['newHeads'], 'b'))?.kind, 'opened');
});
