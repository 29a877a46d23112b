import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createBlockHeader } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import { createMachine, type Machine, type MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { encodeOrigin } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts } from '../../../protocol/rollup/receipt.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  ETHER,
  GWEI,
  input,
  rules,
} from '../appliance/rollup/execute/chain-fixture.ts';
import { createMemoryPreimages, machineModule, putFresh } from './machine-fixture.ts';

const P256: Hex = `0x${'00'.repeat(18)}0100`;
const HISTORY: Hex = '0x0000f90827f1c53a10cb7a02335b175320002935';
const NO_REQUESTS = `0x${createHash('sha256').digest('hex')}`;
const STOP = Uint8Array.of(0);

/** A chain of one block whose state has alice, bob, EIP-2935's contract (its code is of no account here) and what is given. */
function open(
  more: Partial<MachineRules>,
  code?: { address: Hex; code: Uint8Array },
): { machine: Machine; header: Uint8Array; step(transactions: Uint8Array[]): ReturnType<Machine['executeBlock']> } {
  const preimages = createMemoryPreimages();
  const machine = createMachine(machineModule, { chainId: CHAIN_ID, fork: 'prague', p256: true, ...more }, preimages);
  const account = (address: Hex, balanceWei: bigint, bytes: Uint8Array = new Uint8Array()) => ({
    address,
    nonce: 0n,
    balanceWei,
    code: bytes,
    storage: [],
  });
  const accounts = [
    account(addressOf(alice), 100n * ETHER),
    account(addressOf(bob), ETHER),
    account(HISTORY, 0n, STOP),
  ];
  if (code) accounts.push(account(code.address, 0n, code.code));
  const { root, fresh } = machine.buildState(accounts);
  for (const { kind, hash, bytes } of fresh) preimages.put(kind, bytesToHex(hash), bytes);
  const extraData = encodeOrigin({ number: 0n, delayedMessages: 0n });
  const timestamp = input(0).timestamp;
  const fields = { number: 0n, gasLimit: 30_000_000n, baseFeePerGas: GWEI, timestamp, stateRoot: root, extraData };
  const chain = {
    machine,
    header: createBlockHeader({ ...fields, parentBeaconBlockRoot: new Uint8Array(32) }, { common: rules }).serialize(),
    step(transactions: Uint8Array[]) {
      const built = machine.executeBlock(chain.header, input(1, transactions));
      putFresh(preimages, built);
      chain.header = built.header;
      return built;
    },
  };
  return chain;
}

function call(chain: ReturnType<typeof open>, to: Hex, data: Uint8Array, code?: Uint8Array) {
  const request = { from: addressOf(alice), to, gas: 100_000n, gasPrice: 0n, value: 0n, data, accessList: [] };
  const [result] = chain.machine.simulate(chain.header, [
    { call: request, accounts: code ? [{ address: to, code }] : [] },
  ]);
  assert.ok(result);
  return result;
}

/** Hash, r, s, x, y of a P-256 signature, as RIP-7212 takes them. */
function p256Input(): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('record');
  const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return Uint8Array.from(Buffer.concat([createHash('sha256').update(message).digest(), signature, ...point]));
}

test('verifies P-256 signatures at 0x100 for 6,900 gas where the network has it, or the fork', () => {
  const data = p256Input();
  const wrong = Uint8Array.from(data, (byte, i) => (i === 40 ? byte ^ 1 : byte));
  const intrinsic = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + (byte === 0 ? 4n : 16n), 21_000n);
  for (const more of [{}, { fork: 'osaka' as const, p256: false }]) {
    const chain = open(more);
    const right = call(chain, P256, data);
    assert.equal(bytesToHex(right.output), `0x${'01'.padStart(64, '0')}`);
    assert.equal(right.gasUsed, intrinsic(data) + 6_900n);
    assert.equal(call(chain, P256, wrong).output.length, 0);
  }
  const without = call(open({ p256: false }), P256, data);
  assert.deepEqual([without.outcome, without.output.length], ['ok', 0]);
});

test("from Prague on the header says that nothing is requested, and EIP-2935 has the parent's hash", () => {
  const items = (header: Uint8Array) => RLP.decode(header) as Uint8Array[];
  const cancun = open({ fork: 'cancun' });
  assert.equal(items(cancun.step([]).header).length, 20);
  const chain = open({});
  const first = chain.step([]);
  assert.equal(items(first.header).length, 21);
  assert.equal(bytesToHex(items(first.header)[20] ?? STOP), NO_REQUESTS);
  chain.step([]);
  // Code that returns the storage slot that it is asked for, in the contract's place: block 2 wrote block 1's hash to slot 1.
  const reader = hexToBytes('0x600035545f5260205ff3');
  const slot = hexToBytes(`0x${'01'.padStart(64, '0')}`);
  assert.equal(bytesToHex(call(chain, HISTORY, slot, reader).output), first.hash);
});

test('runs EIP-7702: an account lends its address to code and still sends transactions', async () => {
  // Code that logs, so that the receipt shows whose code ran and where.
  const code = { address: `0x${'c0'.repeat(20)}` as Hex, code: hexToBytes('0x5f5fa000') };
  const authorization = await bob.authorize({ address: code.address, nonce: 0, chainId: CHAIN_ID });
  const fields = { chainId: CHAIN_ID, gasLimit: 200_000, maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: 1n };
  const lend = await alice.signTransaction({
    ...fields,
    type: 4,
    nonce: 0,
    to: bob.address,
    authorizationList: [authorization],
  });
  const send = await bob.signTransaction({ ...fields, type: 2, nonce: 1, to: alice.address, value: 1n });
  const raws = [lend, send].map((hex) => hexToBytes(hex as Hex));
  const built = open({}, code).step(raws);
  assert.deepEqual(built.dropped, []);
  const [lent, sent] = decodeReceipts(built.receipts);
  assert.equal(lent?.type, 4);
  assert.equal(lent?.logs[0]?.address, addressOf(bob));
  assert.equal(sent?.status, 1);
  const before = open({ fork: 'cancun' }, code).step(raws);
  assert.deepEqual(before.dropped, [
    { index: 0, obstacle: 'undecodable' },
    { index: 1, obstacle: 'nonce-high' },
  ]);
});

test('from Prague on calldata has a floor price (EIP-7623)', async () => {
  const data = `0x${'ff'.repeat(1_000)}`;
  const fields = { type: 2, chainId: CHAIN_ID, nonce: 0, maxFeePerGas: 3n * GWEI, to: bob.address, data };
  const raw = hexToBytes((await alice.signTransaction({ ...fields, gasLimit: 50_000 })) as Hex);
  assert.deepEqual(open({ fork: 'cancun' }).step([raw]).dropped, []);
  assert.deepEqual(open({}).step([raw]).dropped, [{ index: 0, obstacle: 'intrinsic-gas' }]);
});
