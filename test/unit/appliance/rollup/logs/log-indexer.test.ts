import assert from 'node:assert/strict';
import { test } from 'node:test';
import { id as topicOf } from 'ethers';
import { createNodeLogs } from '../../../../../appliance/rollup/node-logs.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { alice, input, openChain, type TestChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from '../rpc/rpc-fixture.ts';

const TRANSFER = topicOf('Transfer(address,address,uint256)') as Hex;
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;

function indexOf(chain: TestChain) {
  const log = createLogger({ level: 'silent' });
  return createNodeLogs({ databaseKey: new Uint8Array(32).fill(7) }, { log, now: () => 0 }, chain);
}

/** Runs the indexer until it knows the head. */
async function settle(logs: ReturnType<typeof indexOf>, chain: TestChain): Promise<void> {
  const ended = new AbortController();
  const running = logs.run(ended.signal);
  while (logs.index.next() !== chain.executor.heads().unsafe.number + 1n) await new Promise(setImmediate);
  ended.abort();
  await running;
}

async function issue(chain: TestChain, seconds: number, nonce: number): Promise<void> {
  const raw = await transfer(alice, nonce, { to: null, value: 0n, data: ISSUE });
  const { dropped } = await chain.executor.build(input(seconds, [raw]));
  assert.deepEqual(dropped, []);
}

test('an old database is indexed by the way, and eth_getLogs answers the same with the index as without', async () => {
  await using chain = await openChain();
  for (let block = 1; block <= 12; block++) {
    if (block % 4 === 0) await issue(chain, block, block / 4 - 1);
    else await chain.executor.build(input(block));
  }
  const logs = indexOf(chain);
  await settle(logs, chain);
  const [with_, without] = [rpcOf(chain, { logIndex: logs.index }), rpcOf(chain)];
  const all = (await ask(without, 'eth_getLogs', { fromBlock: '0x0', topics: [TRANSFER] })).result as never as {
    address: Hex;
  }[];
  assert.equal(all.length, 3);
  for (const filter of [
    { topics: [TRANSFER] },
    { address: all[1]?.address },
    { address: all.map(({ address }) => address), topics: [[TRANSFER]] },
    { topics: [null, TRANSFER] },
    { topics: [[], []] },
    {},
  ]) {
    const asked = { fromBlock: '0x0', ...filter };
    assert.deepEqual(await ask(with_, 'eth_getLogs', asked), await ask(without, 'eth_getLogs', asked));
  }
});

test('follows the chain through a rewind: logs of blocks that are gone are not found, new ones are', async () => {
  await using chain = await openChain();
  await issue(chain, 1, 0);
  await issue(chain, 2, 1);
  const logs = indexOf(chain);
  await settle(logs, chain);
  const rpc = rpcOf(chain, { logIndex: logs.index });
  const numbers = async (): Promise<unknown[]> => {
    const { result = [] } = await ask(rpc, 'eth_getLogs', { fromBlock: '0x0', topics: [TRANSFER] });
    return (result as { blockNumber: Hex }[]).map(({ blockNumber }) => blockNumber);
  };
  assert.deepEqual(await numbers(), ['0x1', '0x2']);
  await chain.executor.rewind(1n);
  await chain.executor.build(input(3));
  await issue(chain, 4, 1);
  // Before the indexer has looked, too.
  assert.deepEqual(await numbers(), ['0x1', '0x3']);
  await settle(logs, chain);
  assert.deepEqual(await numbers(), ['0x1', '0x3']);
});

test('looks only at blocks in which the index knows something', async () => {
  await using chain = await openChain();
  for (let block = 1; block <= 30; block++) await chain.executor.build(input(block));
  await issue(chain, 31, 0);
  const logs = indexOf(chain);
  await settle(logs, chain);
  let reads = 0;
  const database = {
    ...chain.database,
    async canonicalHash(number: bigint) {
      reads += 1;
      return chain.database.canonicalHash(number);
    },
  };
  const rpc = rpcOf(chain, { logIndex: logs.index, database });
  const { result } = await ask(rpc, 'eth_getLogs', { fromBlock: '0x0', topics: [TRANSFER] });
  assert.equal((result as unknown as unknown[]).length, 1);
  assert.equal(reads, 1);
});
