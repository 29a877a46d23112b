import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContractFactory, Interface } from 'ethers';
import type { MachineCall } from '../../../machine/host/calls.ts';
import type { MachineRules } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../contracts/generated/TestToken.ts';
import { simulate } from '../../oracle/simulate.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  input,
  rules,
  testGenesis,
  transfer,
} from '../appliance/rollup/execute/chain-fixture.ts';
import { createTwins, type Twins } from './machine-fixture.ts';

const genesis = await testGenesis();
const CANCUN: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };
const token = new Interface(TestTokenAbi as never);
const encode = (name: string, values: unknown[] = []): Uint8Array =>
  hexToBytes(token.encodeFunctionData(name, values) as Hex);

async function tokenChain(): Promise<{ twins: Twins; to: Hex; header: Uint8Array }> {
  const twins = createTwins(genesis, rules, CANCUN);
  const { data } = await new ContractFactory(TestTokenAbi as never, TestTokenInitCode).getDeployTransaction(1000n);
  const { oracle } = await twins.step(input(1, [await transfer(alice, 0, { to: null, value: 0n, data })]));
  const to = oracle.receipts[0]?.contractAddress;
  assert.ok(to);
  return { twins, to, header: twins.header.serialize() };
}

function call(to: Hex | undefined, data: Uint8Array, more: Partial<MachineCall> = {}): MachineCall {
  const from = addressOf(alice);
  return { from, to, gas: 1_000_000n, gasPrice: 0n, value: 0n, data, accessList: [], ...more };
}

test('gives what the TypeScript simulation gives: outcome, gas and output, for calls that succeed and that do not', async () => {
  const { twins, to, header } = await tokenChain();
  const calls: MachineCall[] = [
    call(to, encode('balanceOf', [alice.address])),
    call(to, encode('transfer', [bob.address, 7n])),
    call(to, encode('transfer', [bob.address, 7000n])),
    call(to, encode('transfer', [bob.address, 7n]), { gas: 22_000n }),
    call(to, encode('transfer', [bob.address, 7n]), { gas: 2_000n }),
    call(undefined, hexToBytes('0x60203d526001600052602060003060005afa50602060006000f3')),
    call(undefined, hexToBytes('0x48600052602060006000f3')),
    call(undefined, hexToBytes('0x48600052602060006000f3'), { gasPrice: 10n ** 10n }),
    call(`0x${'cd'.repeat(20)}`, new Uint8Array(), { value: 10n ** 30n }),
    call(to, encode('balanceOf', [alice.address]), {
      accessList: [{ address: to, storageKeys: [`0x${'00'.repeat(32)}`] }],
    }),
  ];
  const kinds = { ok: 'ok', reverted: 'reverted', failed: 'failed', refused: 'refused' } as const;
  for (const request of calls) {
    const data = bytesToHex(request.data);
    const oracle = await simulate({ ...request, data }, twins.header, { state: twins.state, rules });
    const [found] = twins.machine.simulate(header, [{ call: request }]);
    assert.ok(found);
    assert.equal(kinds[found.outcome], oracle.kind, data);
    if ('gasUsed' in oracle) assert.equal(found.gasUsed, oracle.gasUsed, data);
    if ('returned' in oracle) assert.equal(bytesToHex(found.output), bytesToHex(oracle.returned), data);
    if (oracle.kind === 'failed' || oracle.kind === 'refused') assert.notEqual(found.reason, '');
  }
});

test('sees changed accounts and blocks, keeps them for the next step, and forgets all of it', async () => {
  const { twins, to, header } = await tokenChain();
  // Code that returns its storage slot 1, the timestamp and the balance of the caller.
  const code = hexToBytes(('0x6001546000524260205233316040526060' + '6000f3') as Hex);
  const stranger: Hex = `0x${'77'.repeat(20)}`;
  const steps = [
    {
      call: call(stranger, new Uint8Array()),
      block: { timestamp: 99n },
      accounts: [
        { address: stranger, code, storage: { kind: 'patch' as const, slots: [[1n, 42n]] as const } },
        { address: addressOf(alice), balanceWei: 5n },
      ],
    },
    { call: call(stranger, new Uint8Array()) },
  ];
  const words = (bytes: Uint8Array) => [0, 1, 2].map((i) => BigInt(bytesToHex(bytes.subarray(32 * i, 32 * i + 32))));
  const [first, second] = twins.machine.simulate(header, steps);
  assert.ok(first && second);
  assert.deepEqual(words(first.output), [42n, 99n, 5n]);
  assert.deepEqual(words(second.output), [42n, twins.header.timestamp, 5n]);
  const [later] = twins.machine.simulate(header, [{ call: call(stranger, new Uint8Array()) }]);
  assert.equal(later?.output.length, 0);
  // Replaced storage hides what the state has.
  const supply = { call: call(to, encode('balanceOf', [alice.address])) };
  const [held] = twins.machine.simulate(header, [supply]);
  assert.equal(BigInt(bytesToHex(held?.output ?? new Uint8Array())), 1000n);
  const none = { ...supply, accounts: [{ address: to, storage: { kind: 'replace' as const, slots: [] } }] };
  const [gone] = twins.machine.simulate(header, [none]);
  assert.equal(BigInt(bytesToHex(gone?.output ?? new Uint8Array())), 0n);
});

test('says what happened inside a block: calls in order, and the state before and after', async () => {
  const { twins, to } = await tokenChain();
  const before = twins.header.serialize();
  const data = token.encodeFunctionData('transfer', [bob.address, 7n]);
  const block = input(2, [await transfer(alice, 1), await transfer(alice, 2, { to, value: 0n, data })]);
  const { oracle } = await twins.step(block);
  const all = twins.machine.traceBlock(before, block, { frames: true, touched: true });
  assert.deepEqual(
    all.map(({ gasUsed }) => gasUsed),
    oracle.receipts.map(({ gasUsed }) => gasUsed),
  );
  const [only] = twins.machine.traceBlock(before, block, { frames: true, touched: true }, 1);
  assert.ok(only);
  assert.deepEqual(only, all[1]);
  const [frame] = only.frames;
  assert.equal(only.frames.length, 1);
  assert.deepEqual([frame?.kind, frame?.depth, frame?.from, frame?.to], ['CALL', 0, addressOf(alice), to]);
  assert.equal(bytesToHex(frame?.input ?? new Uint8Array()), data);
  assert.deepEqual(
    frame?.logs,
    oracle.receipts[1]?.logs.map((log) => ({ ...log, position: 0 })),
  );
  const contract = only.touched.find(({ address }) => address === to);
  assert.deepEqual(contract?.slots.map(({ before: from, after }) => [from, after]).sort(), [
    [0n, 7n],
    [1000n, 993n],
  ]);
  const sender = only.touched.find(({ address }) => address === addressOf(alice));
  assert.deepEqual([sender?.before.nonce, sender?.after.nonce], [2n, 3n]);
});
