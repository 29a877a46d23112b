import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Contract, ContractFactory, isError, JsonRpcProvider, parseEther, Wallet } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, http, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { depositEth } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../contracts/generated/TestToken.ts';
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
  sequencer = await network.startSequencer();
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
  const token = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode, wallet).deploy(1_000n);
  await token.waitForDeployment();
  const contract = new Contract(await token.getAddress(), TestTokenAbi as never, wallet);
  const heard: bigint[] = [];
  await contract.on('Transfer', (_from, _to, amount: bigint) => heard.push(amount));
  // ethers hears what comes after the block that it asks for here, without waiting for the answer: this one comes with it.
  await provider.getBlockNumber();
  const transfer = contract.getFunction('transfer');
  for (let pair = 0; pair < 5; pair++) {
    const first = await transfer(bob, 1n);
    const second = await transfer(bob, 2n);
    for (const sent of [first, second]) assert.equal((await sent.wait()).status, 1);
  }
  await eventually('ten events', async () => heard.length === 10);
  await contract.removeAllListeners();
  assert.equal(await contract.getFunction('balanceOf')(bob), 15n);

  const sent = await wallet.signTransaction(await wallet.populateTransaction({ to: bob, value: 1n }));
  await provider.broadcastTransaction(sent);
  await eventually('in the chain', async () => (await provider.getTransactionCount(alice.address)) === 12);
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
