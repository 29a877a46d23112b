import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressFromString } from '@ethereumjs/util';
import { ContractFactory, Interface, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { createRules, ORIGIN_ROOTS_ADDRESS } from '../../../protocol/rollup/rules.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../contracts/generated/TestToken.ts';
import { simulate } from '../../oracle/simulate.ts';
import { createMemoryState, type MemoryState } from '../../oracle/state-by-hash.ts';
import { openStateTrie } from '../../oracle/state-trie.ts';
import { transition } from '../../oracle/transition.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  ETHER,
  GENESIS,
  GWEI,
  input,
  rules,
  testGenesis,
  transfer,
} from '../appliance/rollup/execute/chain-fixture.ts';

const genesis = await testGenesis();
const readGenesis = { get: async (hash: Hex) => genesis.preimages.get(hash) };
const fresh = (): MemoryState => createMemoryState(readGenesis);

const token = new Interface(TestTokenAbi as never);
async function tokenTransactions(): Promise<Uint8Array[]> {
  const { data } = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode).getDeployTransaction(1000n);
  const create = await transfer(alice, 0, { to: null, value: 0n, data });
  const address = `0x${'0'.repeat(40)}` as Hex;
  return [create, await transfer(alice, 1, { to: address, value: 5n })];
}

test('pure JavaScript and native signature recovery give the same block', async () => {
  const transactions = await tokenTransactions();
  const native = await transition(genesis.header, input(1, transactions), { state: fresh(), rules });
  const pure = await transition(genesis.header, input(1, transactions), {
    state: fresh(),
    rules: createRules(CHAIN_ID),
  });
  assert.equal(pure.hash, native.hash);
  assert.equal(native.receipts[0]?.status, 1);
  assert.equal(native.receipts[0]?.logs.length, 1);
  assert.equal(token.parseLog(native.receipts[0]?.logs[0] as never)?.name, 'Transfer');
});

test('re-executed from a recorded witness alone it gives the same hash', async () => {
  const state = fresh();
  const transactions = await tokenTransactions();
  const first = await transition(genesis.header, input(1, transactions), { state, rules });
  const witness = new Map<Hex, Uint8Array>();
  const recording = createMemoryState({
    async get(hash) {
      const bytes = await state.get(hash);
      if (bytes) witness.set(hash, bytes);
      return bytes;
    },
  });
  const contract = first.receipts[0]?.contractAddress;
  assert.ok(contract);
  const call = await transfer(alice, 2, {
    to: contract,
    value: 0n,
    data: token.encodeFunctionData('transfer', [bob.address, 7n]),
  });
  const second = await transition(first.header, input(2, [call]), { state: recording, rules });
  assert.equal(second.receipts[0]?.status, 1);
  const replay = await transition(first.header, input(2, [call]), {
    state: createMemoryState({ get: async (h) => witness.get(h) }),
    rules,
  });
  assert.equal(replay.hash, second.hash);
  for (const missing of witness.keys()) {
    const partial = createMemoryState({ get: async (hash) => (hash === missing ? undefined : witness.get(hash)) });
    await assert.rejects(
      transition(first.header, input(2, [call]), { state: partial, rules }),
      (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
      'a missing preimage is never taken for an absent account',
    );
  }
});

test('drops what cannot run, says why, and runs the rest', async () => {
  const foreign = await alice.signTransaction({
    type: 2,
    chainId: 1,
    nonce: 0,
    gasLimit: 21_000,
    maxFeePerGas: GWEI,
    to: bob.address,
  });
  const cheap = await alice.signTransaction({
    type: 2,
    chainId: CHAIN_ID,
    nonce: 0,
    gasLimit: 21_000,
    maxFeePerGas: 1n,
    to: bob.address,
  });
  const big = await alice.signTransaction({
    type: 2,
    chainId: CHAIN_ID,
    nonce: 0,
    gasLimit: 31_000_000,
    maxFeePerGas: GWEI,
    to: bob.address,
  });
  const thin = await alice.signTransaction({
    type: 2,
    chainId: CHAIN_ID,
    nonce: 0,
    gasLimit: 20_999,
    maxFeePerGas: GWEI,
    to: bob.address,
  });
  const asBytes = (raw: string): Uint8Array => hexToBytes(raw as Hex);
  const highS = await transfer(alice, 0);
  highS.set(new Uint8Array(32).fill(0x81), highS.length - 32);
  const noPoint = await transfer(alice, 0);
  noPoint.set(new Uint8Array(32).fill(0xff), noPoint.length - 65);
  const poor = Wallet.createRandom() as unknown as Wallet;
  const { receipts, dropped, block } = await transition(
    genesis.header,
    input(1, [
      new Uint8Array(200_000),
      Uint8Array.of(3, 0xc0),
      asBytes(foreign),
      highS,
      noPoint,
      asBytes(thin),
      await transfer(alice, 1),
      asBytes(big),
      asBytes(cheap),
      await transfer(poor, 0),
      await transfer(alice, 0),
      await transfer(alice, 0),
    ]),
    { state: fresh(), rules },
  );
  assert.deepEqual(
    dropped.map(({ obstacle }) => obstacle),
    [
      'size',
      'undecodable',
      'undecodable',
      'undecodable',
      'signature',
      'intrinsic-gas',
      'nonce-high',
      'block-gas',
      'fee-cap',
      'funds',
      'nonce-low',
    ],
  );
  assert.equal(receipts.length, 1);
  assert.equal(block.transactions.length, 1);
});

test('a deposit is spendable in the next block, and one of nothing leaves no account', async () => {
  const rich = `0x${'d1'.repeat(20)}` as Hex;
  const nobody = `0x${'d2'.repeat(20)}` as Hex;
  const deposits = [
    { index: 0n, to: rich, amountWei: 2n * ETHER },
    { index: 1n, to: nobody, amountWei: 0n },
    { index: 2n, to: rich, amountWei: 3n * ETHER },
  ];
  const state = fresh();
  const { header } = await transition(genesis.header, input(1, [], { deposits, delayedMessages: 3 }), { state, rules });
  const { manager } = openStateTrie(state, header.stateRoot, rules);
  assert.equal((await manager.getAccount(createAddressFromString(rich)))?.balance, 5n * ETHER);
  assert.equal(await manager.getAccount(createAddressFromString(nobody)), undefined);
});

test('contracts read the L1 origin by EIP-4788 and the previous block by BLOCKHASH', async () => {
  const state = fresh();
  const { header } = await transition(genesis.header, input(1), { state, rules });
  const { header: next } = await transition(header, input(2), { state, rules });
  const call = async (to: Hex | undefined, data: Hex) => {
    const request = { from: addressOf(alice), to, gas: 1_000_000n, gasPrice: 0n, value: 0n, data, accessList: [] };
    const outcome = await simulate(request, next, { state, rules });
    assert.equal(outcome.kind, 'ok');
    return 'returned' in outcome ? bytesToHex(outcome.returned) : undefined;
  };
  const timestamp = `0x${header.timestamp.toString(16).padStart(64, '0')}` as Hex;
  assert.equal(await call(ORIGIN_ROOTS_ADDRESS, timestamp), `0x${'ab'.repeat(32)}`);
  // Creation code: return BLOCKHASH(NUMBER - 2), which is genesis as seen from block 2.
  assert.equal(await call(undefined, '0x600243034060005260206000f3'), genesis.hash);
});

test('refuses inputs that go back in time', async () => {
  const { header } = await transition(genesis.header, input(5), { state: fresh(), rules });
  const invalid = (error: unknown) => isNectarError(error, 'ROLLUP_BLOCK_INPUT_INVALID');
  const state = fresh();
  await assert.rejects(transition(header, input(4), { state, rules }), invalid);
  await assert.rejects(
    transition(header, input(5, [], { l1Origin: { number: 6n, hash: genesis.hash } }), { state, rules }),
    invalid,
  );
});

test('genesis: the same parameters give the same hash, others another, and only what is meant exists', async () => {
  assert.equal((await testGenesis()).hash, genesis.hash);
  assert.equal(bytesToHex(genesis.header.hash()), genesis.hash);
  const { manager } = openStateTrie(fresh(), genesis.header.stateRoot, rules);
  for (const { address, balanceWei } of GENESIS.alloc) {
    assert.equal((await manager.getAccount(createAddressFromString(address)))?.balance, balanceWei);
  }
  for (const address of Object.values(PREDEPLOYS)) {
    assert.ok((await manager.getCode(createAddressFromString(address))).length > 0, address);
  }
  assert.equal(await manager.getAccount(createAddressFromString(`0x${'00'.repeat(20)}`)), undefined);
});

test('rules keep nothing of the blocks that were executed by them', async () => {
  const listeners = rules.events.listenerCount('hardforkChanged');
  for (let i = 0; i < 3; i++) await transition(genesis.header, input(1, []), { state: fresh(), rules });
  assert.equal(rules.events.listenerCount('hardforkChanged'), listeners);
});
