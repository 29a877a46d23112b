import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contract, ContractFactory, Interface, JsonRpcProvider, Wallet } from 'ethers';
import { createJsonRpc } from '../../../../../appliance/rollup/rpc/json-rpc.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { PREDEPLOYS } from '../../../../../protocol/rollup/genesis.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { addressOf, alice, bob, CHAIN_ID, ETHER, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { type Answer, ask, rpcOf, serve } from './rpc-fixture.ts';

test('ethers deploys a Solidity contract, calls it, and reads logs, balances and receipts', async () => {
  await using chain = await openChain();
  await using server = await serve(rpcOf(chain));
  const provider = new JsonRpcProvider(server.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
  try {
    assert.equal((await provider.getNetwork()).chainId, CHAIN_ID);
    const wallet = new Wallet(alice.privateKey, provider);
    const token = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode, wallet).deploy(1000n);
    await token.waitForDeployment();
    const contract = new Contract(await token.getAddress(), TestTokenAbi as never, wallet);
    const sent = await contract.getFunction('transfer')(bob.address, 250n);
    const receipt = await sent.wait();
    assert.equal(receipt.status, 1);
    assert.equal(await contract.getFunction('balanceOf')(bob.address), 250n);
    const logs = await contract.queryFilter('Transfer', 0);
    assert.equal(logs.length, 2);
    assert.equal(logs[1]?.transactionHash, receipt.hash);
    assert.ok((await provider.getBalance(alice.address)) < 1000n * ETHER);
    assert.equal(await provider.getTransactionCount(alice.address), 2);
    assert.equal((await provider.getBlock('latest', true))?.prefetchedTransactions[0]?.hash, receipt.hash);
    assert.equal((await provider.getTransaction(receipt.hash))?.from, alice.address);
    await assert.rejects(contract.getFunction('transfer').staticCall(bob.address, 10n ** 30n), {
      code: 'CALL_EXCEPTION',
    });
    await assert.rejects(contract.getFunction('transfer').estimateGas(bob.address, 10n ** 30n), {
      code: 'CALL_EXCEPTION',
    });
  } finally {
    provider.destroy();
  }
});

test('a revert is code 3 with its data', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  // NodeRegistry has no function with this selector and no fallback.
  const { error } = await ask(rpc, 'eth_call', { to: PREDEPLOYS.nodeRegistry, data: '0xdeadbeef' }, 'latest');
  assert.equal(error?.code, 3);
  assert.equal(error?.data, '0x');
});

test('the auditors that genesis names are in the registry', async () => {
  await using chain = await openChain();
  const registry = new Interface(['function isAuditor(address) view returns (bool)']);
  const call = async (who: string) =>
    (
      await ask(rpcOf(chain), 'eth_call', {
        to: PREDEPLOYS.nodeRegistry,
        data: registry.encodeFunctionData('isAuditor', [who]),
      })
    ).result;
  assert.equal(BigInt((await call(bob.address)) ?? 0), 1n);
  assert.equal(BigInt((await call(alice.address)) ?? 1), 0n);
});

test('block tags follow the heads, and a discarded block is gone', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  await chain.executor.appendSafe(input(1));
  const { hash } = await chain.executor.build(input(2, [await transfer(alice, 0)]));
  const numberAt = async (tag: string) =>
    (await ask(rpc, 'eth_getBlockByNumber', tag, false)).result?.['number' as never];
  assert.deepEqual(await Promise.all(['latest', 'pending', 'safe', 'finalized', 'earliest', '0x9'].map(numberAt)), [
    '0x2',
    '0x2',
    '0x1',
    '0x0',
    '0x0',
    undefined,
  ]);
  assert.ok((await ask(rpc, 'eth_getBlockByHash', hash, true)).result);
  await chain.executor.rewind(1n);
  assert.equal((await ask(rpc, 'eth_getBlockByHash', hash, true)).result, null);
});

test('answers malformed requests with the standard codes and never throws', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const code = async (body: unknown) => ((await rpc.handle(body)) as { error?: { code: number } }).error?.code;
  for (const body of [
    null,
    1,
    'x',
    {},
    [],
    { jsonrpc: '1.0', id: 1, method: 'eth_chainId' },
    { jsonrpc: '2.0', id: {}, method: 'a' },
  ]) {
    assert.equal(await code(body), -32600, JSON.stringify(body));
  }
  assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'constructor' }), -32601);
  assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: ['0x12'] }), -32602);
  assert.equal(
    await code({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [{ fromBlock: '0x0', topics: [1] }] }),
    -32602,
  );
  assert.equal(await code(Array.from({ length: 1_001 }, () => ({}))), -32005);
  assert.equal(await rpc.handle({ jsonrpc: '2.0', method: 'eth_chainId' }), undefined);
  const batch = await rpc.handle([{ jsonrpc: '2.0', id: 'a', method: 'net_version' }, 5]);
  assert.deepEqual(batch, [
    { jsonrpc: '2.0', id: 'a', result: CHAIN_ID.toString() },
    { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'not a JSON-RPC 2.0 request' } },
  ]);
});

test('fees, proofs, code and storage', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  await chain.executor.build(input(1, [await transfer(alice, 0)]));
  const history = (await ask(rpc, 'eth_feeHistory', '0x5', 'latest', [50])).result as unknown as {
    baseFeePerGas: Hex[];
    reward: Hex[][];
    oldestBlock: Hex;
  };
  assert.equal(history.baseFeePerGas.length, 3);
  assert.deepEqual(history.reward, [['0x0'], ['0x1']]);
  const proof = (await ask(rpc, 'eth_getProof', PREDEPLOYS.nodeRegistry, ['0x0'], 'latest')).result as unknown as {
    accountProof: Hex[];
  };
  assert.ok(proof.accountProof.length > 0);
  assert.notEqual((await ask(rpc, 'eth_getCode', PREDEPLOYS.recordRegistry, 'latest')).result, '0x');
  assert.equal((await ask(rpc, 'eth_getCode', addressOf(alice), 'latest')).result, '0x');
  assert.match(
    String((await ask(rpc, 'eth_getStorageAt', PREDEPLOYS.nodeRegistry, '0x0', 'latest')).result),
    /^0x[0-9a-f]{64}$/,
  );
  assert.equal(
    (await ask(rpc, 'eth_estimateGas', { from: addressOf(alice), to: addressOf(bob), value: '0x1' })).result,
    '0x5208',
  );
  assert.deepEqual((await ask(rpc, 'nectar_batchOf', '0x1')).result, { batch: '0x0' });
});

test('the answers of a batch are bounded together, as in geth: what comes after is refused and not computed', async () => {
  let computed = 0;
  const big = (): string => {
    computed += 1;
    return 'x'.repeat(10 * 1024 * 1024);
  };
  const handle = createJsonRpc({ big }, createLogger({ level: 'silent' }));
  const call = (id?: number) => ({ jsonrpc: '2.0', ...(id !== undefined && { id }), method: 'big', params: [] });
  const answers = (await handle([call(1), call(2), call(3), call(4), call(), call(5)])) as Answer[];
  assert.deepEqual(
    answers.map(({ error }) => error?.code),
    [undefined, undefined, undefined, -32003, -32003],
  );
  assert.equal(computed, 3);
});
