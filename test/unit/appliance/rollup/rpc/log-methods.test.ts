import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256, id as topicOf } from 'ethers';
import { parseLogFilter } from '../../../../../appliance/rollup/rpc/log-filter.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { alice, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from './rpc-fixture.ts';

const TRANSFER = topicOf('Transfer(address,address,uint256)') as Hex;
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;
const other = (n: number): Hex => keccak256(`0x${n.toString(16).padStart(8, '0')}`) as Hex;

test('logs are found by block hash, range and any of a thousand topics', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  await chain.executor.build(input(1));
  const { hash } = await chain.executor.build(
    input(2, [await transfer(alice, 0, { to: null, value: 0n, data: ISSUE })]),
  );
  const count = async (filter: object) =>
    ((await ask(rpc, 'eth_getLogs', filter)).result as unknown as unknown[] | undefined)?.length;
  const thousand = Array.from({ length: 999 }, (_, n) => other(n));
  assert.equal(await count({ blockHash: hash }), 1);
  assert.equal(await count({ fromBlock: '0x0', topics: [TRANSFER] }), 1);
  assert.equal(await count({ fromBlock: '0x0', topics: [[...thousand, TRANSFER]] }), 1);
  assert.equal(await count({ fromBlock: '0x0', topics: [thousand] }), 0);
  assert.equal(await count({ fromBlock: '0x0', topics: [null, null, null, TRANSFER] }), 0);
  assert.equal(await count({ fromBlock: '0x0', toBlock: '0x1' }), 0);
});

test('a filter hashes what it looks for once, however many blocks it is held against', () => {
  const thousand = Array.from({ length: 1000 }, (_, n) => other(n));
  const filter = parseLogFilter({ topics: [thousand] });
  const full = { logsBloom: new Uint8Array(256).fill(255) } as never;
  const empty = { logsBloom: new Uint8Array(256) } as never;
  const before = process.cpuUsage().user;
  for (let block = 0; block < 10_000; block++) assert.equal(filter.mayBeIn(empty), false);
  assert.equal(filter.mayBeIn(full), true);
  // Hashing anew for each block took 45 s of CPU; a bound that only that mistake breaks.
  assert.ok(process.cpuUsage().user - before < 10_000_000);
});

test('what asks for too much says so in words that clients split on', async () => {
  await using chain = await openChain();
  await chain.executor.build(input(1));
  const heads = chain.executor.heads();
  const rpc = rpcOf(chain, { heads: () => ({ ...heads, unsafe: { ...heads.unsafe, number: 20_000n } }) });
  const error = async (filter: object) => (await ask(rpc, 'eth_getLogs', filter)).error;
  assert.deepEqual(await error({ fromBlock: '0x0', toBlock: '0x2710' }), {
    code: -32602,
    message: 'exceed maximum block range: 10000 (asked for 10001 blocks)',
  });
  assert.equal((await error({ fromBlock: '0x2', toBlock: '0x1' }))?.code, -32602);
  assert.equal((await error({ blockHash: other(1), fromBlock: '0x1' }))?.code, -32602);
  assert.equal((await error({ blockHash: other(1) }))?.message, 'unknown block');
  assert.equal((await error({ topics: [Array.from({ length: 1001 }, (_, n) => other(n))] }))?.code, -32602);
});

test('a filter with a name may ask for a million blocks where the index goes, and for ten thousand beyond it', async () => {
  await using chain = await openChain();
  await chain.executor.build(input(1));
  const heads = chain.executor.heads();
  const far = { ...heads, unsafe: { ...heads.unsafe, number: 2_000_000n } };
  const index = { next: () => 1_500_000n, find: async () => ({ through: 2_000_000n, blocks: [] }) };
  const rpc = rpcOf(chain, { heads: () => far, logIndex: index });
  const ask_ = (from: number, to: number, topics: unknown[]) =>
    ask(rpc, 'eth_getLogs', { fromBlock: from, toBlock: to, topics });
  assert.deepEqual((await ask_(500_001, 1_500_000, [TRANSFER])).result, []);
  assert.match((await ask_(500_000, 1_500_000, [TRANSFER])).error?.message ?? '', /range: 1000000/);
  assert.match((await ask_(1_000_000, 1_600_000, [TRANSFER])).error?.message ?? '', /range: 10000 /);
  assert.match((await ask_(1_000_000, 1_020_000, [null])).error?.message ?? '', /range: 10000 /);
});
