import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContractFactory, Interface } from 'ethers';
import { createMachine, type MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts } from '../../../protocol/rollup/receipt.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../contracts/generated/TestToken.ts';
import {
  alice,
  bob,
  CHAIN_ID,
  ETHER,
  input,
  rules,
  testGenesis,
  transfer,
} from '../appliance/rollup/execute/chain-fixture.ts';
import { createMemoryPreimages, createTwins, machineModule, putFresh } from './machine-fixture.ts';

const genesis = await testGenesis();
const CANCUN: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };
const token = new Interface(TestTokenAbi as never);

test("gives the oracle's headers for a token, calls of it, deposits and empty blocks", async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const { data } = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode).getDeployTransaction(1000n);
  const { oracle } = await twins.step(input(1, [await transfer(alice, 0, { to: null, value: 0n, data })]));
  const to = oracle.receipts[0]?.contractAddress;
  assert.ok(to);
  const call = async (nonce: number, amount: bigint) =>
    transfer(alice, nonce, { to, value: 0n, data: token.encodeFunctionData('transfer', [bob.address, amount]) });
  await twins.step(input(2, [await call(1, 7n), await call(2, 5000n), await transfer(alice, 3)]));
  await twins.step(input(2));
  const deposits = [
    { index: 0n, to: `0x${'d1'.repeat(20)}` as Hex, amountWei: 2n * ETHER },
    { index: 1n, to: `0x${'d2'.repeat(20)}` as Hex, amountWei: 0n },
  ];
  await twins.step(input(3, [await call(4, 1n)], { deposits, delayedMessages: 2 }));
});

/** Creation code that leaves these bytes as the contract's code. */
function leaving(code: string): string {
  return `0x${`60${(code.length / 2).toString(16).padStart(2, '0')}600c60003960${(code.length / 2).toString(16).padStart(2, '0')}6000f3`}${code}`;
}

test('stores and runs the contract whose one byte of code has the hash of the empty trie', async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const create = await transfer(alice, 0, { to: null, value: 0n, data: leaving('80') });
  const { built, oracle } = await twins.step(input(1, [create]));
  assert.equal(oracle.receipts[0]?.status, 1);
  const code = built.fresh.find(({ kind }) => kind === 'code');
  assert.deepEqual(code?.bytes, Uint8Array.of(0x80));
  twins.machine.forget();
  const to = oracle.receipts[0]?.contractAddress;
  assert.ok(to);
  // DUP1 on an empty stack: the call fails, and the chain goes on.
  const { oracle: second } = await twins.step(input(2, [await transfer(alice, 1, { to, data: '0x00' })]));
  assert.equal(second.receipts[0]?.status, 0);
  await twins.step(input(3, [await transfer(alice, 2)]));
});

test('re-executed from its recorded witness alone a block has the same header, and no part of it is needless', async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const { data } = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode).getDeployTransaction(1000n);
  const { oracle } = await twins.step(input(1, [await transfer(alice, 0, { to: null, value: 0n, data })]));
  const to = oracle.receipts[0]?.contractAddress;
  assert.ok(to);
  twins.machine.forget();
  twins.preimages.asked.clear();
  const before = twins.header.serialize();
  const call = await transfer(alice, 1, {
    to,
    value: 0n,
    data: token.encodeFunctionData('transfer', [bob.address, 7n]),
  });
  const { built } = await twins.step(input(2, [call]));
  const replay = (missing?: string) => {
    const preimages = createMemoryPreimages();
    for (const [name, { kind, hash, bytes }] of twins.preimages.asked)
      if (name !== missing) preimages.put(kind, hash, bytes);
    return createMachine(machineModule, CANCUN, preimages).executeBlock(before, input(2, [call]));
  };
  const again = replay();
  assert.equal(again.hash, built.hash);
  assert.ok(twins.preimages.asked.size > 5);
  for (const missing of twins.preimages.asked.keys())
    assert.throws(
      () => replay(missing),
      (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
      missing,
    );
});

test('what is missing or thrown by the host is an error and decides nothing: the next call is right again', async () => {
  const preimages = createMemoryPreimages();
  let broken = true;
  const machine = createMachine(machineModule, CANCUN, {
    get(kind, hash) {
      if (broken) throw new RangeError('the disk is broken');
      return preimages.get(kind, hash);
    },
  });
  const twins = createTwins(genesis, rules, CANCUN);
  const block = input(1, [await transfer(alice, 0)]);
  const { built } = await twins.step(block);
  assert.throws(() => machine.executeBlock(genesis.header.serialize(), block), /the disk is broken/);
  broken = false;
  assert.throws(
    () => machine.executeBlock(genesis.header.serialize(), block),
    (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
  );
  for (const { kind, hash, bytes } of twins.preimages.asked.values()) preimages.put(kind, hash, bytes);
  assert.equal(machine.executeBlock(genesis.header.serialize(), block).hash, built.hash);
});

test("refuses inputs that go back in time or are no input, with the block's number", () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const header = genesis.header.serialize();
  const invalid = (error: unknown) => isNectarError(error, 'ROLLUP_BLOCK_INPUT_INVALID') && error.data.number === 1n;
  assert.throws(() => twins.machine.executeBlock(header, input(-1)), invalid);
  const deposits = [{ index: 5n, to: `0x${'d1'.repeat(20)}` as Hex, amountWei: 1n }];
  assert.throws(() => twins.machine.executeBlock(header, input(1, [], { deposits, delayedMessages: 2 })), invalid);
  assert.throws(
    () => twins.machine.executeBlock(header.subarray(1), input(1)),
    (error) => isNectarError(error, 'ROLLUP_MACHINE_FAULT'),
  );
});

test("takes a given sender for the signature's, and gives what there is to recover", async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const raw = await transfer(alice, 0);
  const [found, none] = twins.machine.signatures([raw, Uint8Array.of(3)]);
  assert.equal(none, undefined);
  assert.ok(found);
  const key = nativeRecover(found);
  assert.equal(key, alice.signingKey.publicKey);
  const sender = alice.address.toLowerCase() as Hex;
  const slow = twins.machine.executeBlock(genesis.header.serialize(), input(1, [raw]));
  const quick = twins.machine.executeBlock(genesis.header.serialize(), { ...input(1, [raw]), senders: [sender] });
  assert.equal(quick.hash, slow.hash);
  assert.equal(decodeReceipts(quick.receipts)[0]?.sender, sender);
});

test('keeps its state between blocks: the second block of a kind reads nothing again', async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  await twins.step(input(1, [await transfer(alice, 0)]));
  twins.preimages.asked.clear();
  await twins.step(input(2, [await transfer(alice, 1)]));
  assert.equal(twins.preimages.asked.size, 0);
});

test('builds a sibling of the last block on the parent that it is given', async () => {
  const twins = createTwins(genesis, rules, CANCUN);
  const first = await twins.step(input(1, [await transfer(alice, 0)]));
  const sibling = twins.machine.executeBlock(
    genesis.header.serialize(),
    input(1, [await transfer(alice, 0, { value: 2n })]),
  );
  assert.notEqual(sibling.hash, first.built.hash);
  const again = twins.machine.executeBlock(genesis.header.serialize(), input(1, [await transfer(alice, 0)]));
  assert.equal(again.hash, first.built.hash);
  putFresh(twins.preimages, sibling);
});

function nativeRecover({ digest, rs, yParity }: { digest: Uint8Array; rs: Uint8Array; yParity: 0 | 1 }): string {
  const key = rules.customCrypto.ecrecover?.(digest, BigInt(yParity), rs.slice(0, 32), rs.slice(32));
  assert.ok(key);
  return bytesToHex(Uint8Array.of(4, ...key));
}
void hexToBytes;
