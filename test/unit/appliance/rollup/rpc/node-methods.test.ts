import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256 } from 'ethers';
import type { Hex } from '../../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { PREDEPLOYS } from '../../../../../protocol/rollup/genesis.ts';
import { addressOf, alice, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from './rpc-fixture.ts';

const EMPTY_HASH = `0x${'00'.repeat(32)}`;

test('a method that is not there is refused in the words that ethers knows', async () => {
  await using chain = await openChain();
  const { error } = await ask(rpcOf(chain), 'eth_none\n<b>');
  assert.deepEqual(error, { code: -32601, message: 'the method eth_none?<b> does not exist/is not available' });
});

test('a node that does not follow the chain is syncing, as far as it knows', async () => {
  await using chain = await openChain();
  let target: bigint | undefined = 9n;
  const rpc = rpcOf(chain, { syncTarget: () => target, peerCount: () => 3 });
  const syncing = async () => (await ask(rpc, 'eth_syncing')).result;
  assert.deepEqual(await syncing(), { startingBlock: '0x0', currentBlock: '0x0', highestBlock: '0x9' });
  await chain.executor.build(input(1));
  assert.deepEqual(await syncing(), { startingBlock: '0x0', currentBlock: '0x1', highestBlock: '0x9' });
  target = undefined;
  assert.equal(await syncing(), false);
  assert.equal((await ask(rpc, 'net_peerCount')).result, '0x3');
});

test('proofs have quantities without leading zeros, and keys as they were asked for', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  await chain.executor.build(input(1, [await transfer(alice, 0)]));
  const slot = EMPTY_HASH;
  const proof = async (address: Hex, slots: string[]) =>
    (await ask(rpc, 'eth_getProof', address, slots, 'latest')).result as unknown as {
      balance: Hex;
      nonce: Hex;
      storageProof: { key: Hex; value: Hex }[];
    };
  const own = await proof(addressOf(alice), []);
  assert.equal(own.nonce, '0x1');
  assert.equal(own.balance, (await ask(rpc, 'eth_getBalance', addressOf(alice), 'latest')).result);
  const registry = await proof(PREDEPLOYS.nodeRegistry, [slot, '0x0', '0x7fffffff']);
  assert.equal(registry.balance, '0x0');
  assert.deepEqual(
    registry.storageProof.map(({ key }) => key),
    [slot, '0x0', '0x7fffffff'],
  );
  for (const { value } of registry.storageProof) assert.match(value, /^0x(0|[1-9a-f][0-9a-f]*)$/);
  const values = (await ask(rpc, 'eth_getStorageValues', { [PREDEPLOYS.nodeRegistry]: [slot] }))
    .result as unknown as Record<string, Hex[]>;
  assert.equal(BigInt(values[PREDEPLOYS.nodeRegistry]?.[0] ?? 0), BigInt(registry.storageProof[0]?.value ?? 1));
});

test('blocks, headers, transactions and receipts have their own encoding', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const raw = await transfer(alice, 0);
  const { hash, block } = await chain.executor.build(input(1, [raw]));
  assert.equal(keccak256((await ask(rpc, 'debug_getRawHeader', 'latest')).result ?? '0x'), hash);
  assert.equal((await ask(rpc, 'debug_getRawBlock', '0x1')).result, bytesToHex(block.serialize()));
  assert.equal((await ask(rpc, 'debug_getRawTransaction', keccak256(raw))).result, bytesToHex(raw));
  assert.equal((await ask(rpc, 'debug_getRawTransaction', EMPTY_HASH)).result, '0x');
  const [receipt] = (await ask(rpc, 'debug_getRawReceipts', hash)).result as unknown as Hex[];
  assert.match(receipt ?? '', /^0x02f9/);
  assert.equal((await ask(rpc, 'debug_getRawBlock', '0x7')).error?.message, 'block not found');
});

test('the fork, fees and what has no place on this chain', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const { current, next } = (await ask(rpc, 'eth_config')).result as unknown as {
    current: Record<string, unknown>;
    next: null;
  };
  assert.equal(next, null);
  assert.equal(current.chainId, '0x608fce');
  assert.match(String(current.forkId), /^0x[0-9a-f]{8}$/);
  assert.equal((current.precompiles as Record<string, string>).ECREC, `0x${'1'.padStart(40, '0')}`);
  assert.equal((await ask(rpc, 'eth_blobBaseFee')).result, '0x1');
  assert.equal((await ask(rpc, 'eth_getUncleCountByBlockNumber', '0x0')).result, '0x0');
});
