import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneState } from '../../../../../appliance/rollup/prune/prune-state.ts';
import { addressOf, alice, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from './rpc-fixture.ts';

test('a node without old state says from where on it has it, and still has every block, receipt and log', async () => {
  await using chain = await openChain();
  const hashes: string[] = [];
  for (let number = 0; number < 8; number += 1) {
    const { receipts } = await chain.executor.build(input(number + 1, [await transfer(alice, number)]));
    hashes.push(String(receipts[0]?.transactionHash));
  }
  const { database, executor } = chain;
  await pruneState(5n, { database, executor, rest: async () => undefined, onFloor: () => undefined });
  const rpc = rpcOf(chain, { stateFrom: () => 5n });
  const who = addressOf(alice);
  const call = { from: who, to: who };

  const refused: [string, ...unknown[]][] = [
    ['eth_getBalance', who, '0x4'],
    ['eth_getTransactionCount', who, 'earliest'],
    ['eth_getProof', who, [], '0x3'],
    ['eth_call', call, '0x4'],
    ['eth_estimateGas', call, '0x4'],
    ['eth_simulateV1', { blockStateCalls: [{ calls: [call] }] }, '0x4'],
    ['debug_traceCall', call, '0x4', {}],
    // Its transactions run on the state of the block before.
    ['debug_traceBlockByNumber', '0x5', {}],
  ];
  for (const [method, ...params] of refused) {
    const { error } = await ask(rpc, method, ...params);
    assert.match(
      String(error?.message),
      /^state of block \d is not available: this node has it from block 5 on$/,
      method,
    );
    assert.deepEqual([error?.code, error?.data], [-32000, { stateFrom: '0x5' }], method);
  }
  const answered: [string, ...unknown[]][] = [
    ['eth_getBalance', who, '0x5'],
    ['eth_getProof', who, [], '0x6'],
    ['eth_call', call, '0x5'],
    ['eth_estimateGas', call, 'latest'],
    ['debug_traceBlockByNumber', '0x6', {}],
    ['eth_getBlockByNumber', '0x2', true],
    ['eth_getBlockReceipts', '0x2'],
    ['eth_getTransactionReceipt', hashes[1]],
    ['eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' }],
    ['eth_feeHistory', '0x8', 'latest', []],
  ];
  for (const [method, ...params] of answered) {
    const { result, error } = await ask(rpc, method, ...params);
    assert.equal(error, undefined, method);
    assert.ok(result !== null && result !== undefined, method);
  }
});
