import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rpc } from '../../../../../appliance/rollup/rpc/rpc.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { alice, input, openChain, rules, type TestChain, transfer } from '../execute/chain-fixture.ts';
import { type Answer, ask, emptyBook, rpcOf } from './rpc-fixture.ts';

const MINUTE_MS = 60_000;
/** A token whose constructor mints, which is a Transfer event. */
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;

async function asked(rpc: Rpc, caller: string, method: string, ...params: unknown[]): Promise<Answer> {
  return (await rpc.handle({ jsonrpc: '2.0', id: 1, method, params }, { caller })) as Answer;
}

const build = async (chain: TestChain, seconds: number, nonce?: number, data?: string): Promise<Hex> => {
  const transactions =
    nonce === undefined ? [] : [await transfer(alice, nonce, data === undefined ? {} : { to: null, value: 0n, data })];
  return (await chain.executor.build(input(seconds, transactions))).hash;
};

test('a block filter tells each block once, and those that replace others after a reorganisation', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  await build(chain, 1);
  const id = (await ask(rpc, 'eth_newBlockFilter')).result;
  assert.match(String(id), /^0x[1-9a-f][0-9a-f]*$/);
  const changes = async () => (await ask(rpc, 'eth_getFilterChanges', id)).result;
  assert.deepEqual(await changes(), []);
  const [second, third] = [await build(chain, 2), await build(chain, 3)];
  assert.deepEqual(await changes(), [second, third]);
  assert.deepEqual(await changes(), []);
  await chain.executor.rewind(1n);
  const other = await build(chain, 9);
  assert.deepEqual(await changes(), [other]);
});

test('a log filter gives new logs, takes back those of discarded blocks, and finds all of its range again', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const id = (await ask(rpc, 'eth_newFilter', { topics: [] })).result;
  const changes = async () =>
    (await ask(rpc, 'eth_getFilterChanges', id)).result as unknown as Record<string, unknown>[];
  await build(chain, 1, 0, ISSUE);
  const [log, ...others] = await changes();
  assert.deepEqual(others, []);
  assert.equal(log?.removed, false);
  assert.equal(log?.blockTimestamp, `0x${(1_700_000_001).toString(16)}`);
  await chain.executor.rewind(0n);
  assert.deepEqual(await changes(), [{ ...log, removed: true }]);
  await build(chain, 2, 0, ISSUE);
  assert.equal((await changes()).length, 1);
  assert.equal(((await ask(rpc, 'eth_getFilterLogs', id)).result as unknown as unknown[]).length, 1);
});

test('a filter of pending transactions gives the hashes of what was sent since', async () => {
  await using chain = await openChain();
  const book = emptyBook();
  const rpc = rpcOf(chain, { pending: book });
  const send = async (nonce: number): Promise<Hex> => {
    const signed = parseTransaction(await transfer(alice, nonce), rules);
    assert.ok(typeof signed === 'object');
    book.add(signed);
    return signed.hash;
  };
  await send(0);
  const id = (await ask(rpc, 'eth_newPendingTransactionFilter')).result;
  const sent = [await send(1), await send(2)];
  assert.deepEqual((await ask(rpc, 'eth_getFilterChanges', id)).result, sent);
  assert.deepEqual((await ask(rpc, 'eth_getFilterChanges', id)).result, []);
});

test('a filter belongs to its caller, ends when it is removed or not polled, and a caller has a bounded number', async () => {
  await using chain = await openChain();
  let time = 0;
  const rpc = rpcOf(chain, { now: () => time });
  const { result: id } = await asked(rpc, 'a', 'eth_newBlockFilter');
  const isGone = async (caller: string) =>
    (await asked(rpc, caller, 'eth_getFilterChanges', id)).error?.message === 'filter not found';
  assert.ok(await isGone('b'));
  assert.equal((await asked(rpc, 'b', 'eth_uninstallFilter', id)).result, false);
  time = 4 * MINUTE_MS;
  assert.ok(!(await isGone('a')));
  time = 8 * MINUTE_MS;
  assert.ok(!(await isGone('a')), 'a poll keeps it');
  assert.equal((await asked(rpc, 'a', 'eth_uninstallFilter', id)).result, true);
  assert.ok(await isGone('a'));

  for (let made = 0; made < 64; made++) assert.ok((await asked(rpc, 'a', 'eth_newBlockFilter')).result);
  assert.equal((await asked(rpc, 'a', 'eth_newBlockFilter')).error?.code, -32005);
  assert.ok((await asked(rpc, 'b', 'eth_newBlockFilter')).result, 'others are not kept from theirs');
  time += 6 * MINUTE_MS;
  assert.ok((await asked(rpc, 'a', 'eth_newBlockFilter')).result);
});

test('a filter that is wrong is refused when it is made, and the id of none is an error', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  assert.equal((await ask(rpc, 'eth_newFilter', { topics: ['0x12'] })).error?.code, -32602);
  assert.equal((await ask(rpc, 'eth_newFilter', { fromBlock: 'now' })).error?.code, -32602);
  assert.equal((await ask(rpc, 'eth_getFilterChanges', '0x1')).error?.message, 'filter not found');
  assert.equal((await ask(rpc, 'eth_getFilterChanges', 'x')).error?.code, -32602);
  const id = (await ask(rpc, 'eth_newBlockFilter')).result;
  assert.equal((await ask(rpc, 'eth_getFilterLogs', id)).error?.message, 'filter not found');
});
