import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Contract, ContractFactory, id, isError, JsonRpcProvider, parseEther, toQuantity, Wallet } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, http, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../contracts/generated/TestToken.ts';
import { explorerCalls, type Facts, walletCalls } from './caller-lists.ts';
import { noHardhat, runHardhat } from './hardhat.ts';
import { createTestNetwork, eventually, type SequencerNode, type TestNetwork } from './test-network.ts';

/** The libraries and tools that people use, as they are, against a running devnet. */
const alice = Wallet.createRandom();
const bob = Wallet.createRandom().address as Hex;
const cast = fileURLToPath(new URL('../../../node_modules/.bin/cast', import.meta.url));
const run = promisify(execFile);
let network: TestNetwork;
let sequencer: SequencerNode;
let provider: JsonRpcProvider;

before(async () => {
  network = await createTestNetwork();
  // ethers looks for a receipt at once and then at new blocks only: one that is made in between is found with the next block.
  sequencer = await network.startSequencer({ more: { heartbeatMs: 1_000 } });
  provider = new JsonRpcProvider(sequencer.url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
  await depositEth(
    { rpcUrl: network.l1.rpcUrl, key: network.l1.accounts.faucet.key },
    { inbox: network.descriptor.l1.inbox, to: alice.address.toLowerCase() as Hex, amountWei: parseEther('9') },
  );
  await eventually('the deposit', async () => (await provider.getBalance(alice.address)) === parseEther('9'));
});

after(async () => {
  provider?.destroy();
  await network?.stop();
});

test('ethers sends ten transactions in pairs without waiting, by a contract that it deploys, and hears its events', async () => {
  const wallet = new Wallet(alice.privateKey, provider);
  const token = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode, wallet).deploy(1_000_000n);
  await token.waitForDeployment();
  const contract = new Contract(await token.getAddress(), TestTokenAbi as never, wallet);
  const heard: bigint[] = [];
  await contract.on('Transfer', (_from, _to, amount: bigint) => heard.push(amount));
  // ethers hears what comes after the block that it asks for here, without waiting for the answer: this one comes with it.
  await provider.getBlockNumber();
  const transfer = contract.getFunction('transfer');
  // ethers makes its filter by the way: it hears what comes after that.
  let unheard = 0;
  for (; heard.length === 0; unheard++) await (await transfer(bob, 100n)).wait();
  for (let pair = 0; pair < 5; pair++) {
    const first = await transfer(bob, 1n);
    const second = await transfer(bob, 2n);
    for (const sent of [first, second]) assert.equal((await sent.wait()).status, 1);
  }
  await eventually('ten events', async () => heard.filter((amount) => amount < 100n).length === 10);
  await contract.removeAllListeners();
  assert.equal(await contract.getFunction('balanceOf')(bob), 15n + 100n * BigInt(unheard));

  const sent = await wallet.signTransaction(await wallet.populateTransaction({ to: bob, value: 1n }));
  await provider.broadcastTransaction(sent);
  await eventually('in the chain', async () => (await provider.getTransactionCount(alice.address)) === 12 + unheard);
  await assert.rejects(provider.broadcastTransaction(sent), (error) => isError(error, 'NONCE_EXPIRED'));
  const rich = wallet.sendTransaction({ to: bob, value: parseEther('99'), gasLimit: 21_000 });
  await assert.rejects(rich, (error) => isError(error, 'INSUFFICIENT_FUNDS'));
  await assert.rejects(provider.send('eth_none', []), (error) => isError(error, 'UNSUPPORTED_OPERATION'));
});

test('viem reads with overrides, sends, waits, watches and gets proofs', async () => {
  const chain = defineChain({
    id: Number((await provider.getNetwork()).chainId),
    name: 'nectar devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [sequencer.url] } },
  });
  const transport = http(sequencer.url);
  const client = createPublicClient({ chain, transport, pollingInterval: 50 });
  const account = privateKeyToAccount(alice.privateKey as Hex);
  const wallet = createWalletClient({ chain, transport, account });
  const heads: bigint[] = [];
  const stop = client.watchBlockNumber({ onBlockNumber: (number) => heads.push(number) });
  const hash = await wallet.sendTransaction({ to: bob, value: 5n });
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, 'success');
  const block = await client.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
  assert.equal(block.transactions[0]?.hash, hash);
  await eventually('a new block', async () => heads.some((number) => number >= receipt.blockNumber));
  stop();
  const proof = await client.getProof({ address: bob, storageKeys: [] });
  assert.equal(proof.balance, await client.getBalance({ address: bob }));
  const fees = await client.estimateFeesPerGas();
  assert.ok(fees.maxFeePerGas > 0n);
  const at: Hex = `0x${'ca'.repeat(20)}`;
  const answered = await client.readContract({
    address: at,
    abi: parseAbi(['function answer() view returns (uint256)']),
    functionName: 'answer',
    stateOverride: [{ address: at, code: '0x602a60005260206000f3' }],
  });
  assert.equal(answered, 42n);
  const filter = await client.createBlockFilter();
  await wallet.sendTransaction({ to: bob, value: 1n });
  await eventually('a block in the filter', async () => (await client.getFilterChanges({ filter })).length > 0);
  assert.equal(await client.uninstallFilter({ filter }), true);
});

test('cast sends, reads, estimates and traces', async () => {
  const ask = async (...args: string[]) => (await run(cast, [...args, '--rpc-url', sequencer.url])).stdout.trim();
  assert.equal(BigInt(await ask('chain-id')), (await provider.getNetwork()).chainId);
  const sent = JSON.parse(await ask('send', '--json', '--private-key', alice.privateKey, bob, '--value', '7')) as {
    transactionHash: Hex;
    status: Hex;
  };
  assert.equal(sent.status, '0x1');
  assert.match(await ask('receipt', sent.transactionHash), /status\s+1/);
  assert.equal(await ask('estimate', bob, '--value', '1', '--from', alice.address), '21000');
  assert.match(await ask('block', 'latest'), /baseFeePerGas/);
  const trace = JSON.parse(
    await ask('rpc', 'debug_traceTransaction', sent.transactionHash, '{"tracer":"callTracer"}'),
  ) as { type: string; value: Hex };
  assert.deepEqual([trace.type, trace.value], ['CALL', '0x7']);
});

test('hardhat deploys, sends, reads events and hears of a revert', { skip: noHardhat }, async () => {
  const token = join(network.folder, 'token.json');
  await writeFile(token, JSON.stringify({ abi: TestTokenAbi, bytecode: TestTokenInitCode }));
  const to = Wallet.createRandom().address;
  const before = await provider.getTransactionCount(alice.address);
  const seen = await runHardhat({ rpc: sequencer.url, key: alice.privateKey, to, token });
  assert.equal(seen.chainId, Number((await provider.getNetwork()).chainId));
  assert.deepEqual([seen.status, seen.balance, seen.events, seen.nonce], [1, 5, 1, before + 2]);
  assert.notEqual(seen.refused, 'taken');
});

test('every call that MetaMask and Blockscout make is answered, with the fields that they read', async () => {
  const wallet = new Wallet(alice.privateKey, provider);
  const deployed = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode, wallet).deploy(1_000n);
  await deployed.waitForDeployment();
  const token = (await deployed.getAddress()).toLowerCase() as Hex;
  const sent = await new Contract(token, TestTokenAbi as never, wallet).getFunction('transfer')(bob, 5n);
  const { blockNumber, blockHash } = await sent.wait();
  const next = await wallet.signTransaction(await wallet.populateTransaction({ to: bob, value: 1n }));
  const facts: Facts = {
    chainId: toQuantity((await provider.getNetwork()).chainId) as Hex,
    account: alice.address.toLowerCase() as Hex,
    to: bob,
    token,
    block: toQuantity(blockNumber) as Hex,
    blockHash,
    transaction: sent.hash,
    transferTopic: id('Transfer(address,address,uint256)') as Hex,
    next: next as Hex,
  };
  for (const { of, method, params, reads } of [...walletCalls(facts), ...explorerCalls(facts)]) {
    const answer = await provider.send(method, [...params]);
    const call = `${of} ${method} ${JSON.stringify(answer).slice(0, 200)}`;
    assert.notEqual(answer, null, call);
    for (const field of reads ?? []) assert.ok(field in answer, `${call} has no ${field}`);
  }
});

test('an explorer asks for 250 receipts in one batch', async () => {
  const calls = Array.from({ length: 250 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_blockNumber', params: [] }));
  const body = JSON.stringify(calls);
  const answer = await fetch(sequencer.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answers = (await answer.json()) as { readonly id: number; readonly result: Hex }[];
  assert.equal(answers.length, 250);
  assert.ok(answers.every(({ id, result }, i) => id === i && BigInt(result) > 0n));
});
