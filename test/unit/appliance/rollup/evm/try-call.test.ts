import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hex } from '../../../../../protocol/brand.ts';
import { addressOf, alice, ETHER, openChain } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from '../rpc/rpc-fixture.ts';

const me = addressOf(alice);
const A: Hex = `0x${'aa'.repeat(20)}`;
const B: Hex = `0x${'bb'.repeat(20)}`;
const hex = (value: bigint): Hex => `0x${value.toString(16)}`;
const push20 = (address: Hex): string => `73${address.slice(2)}`;
/** Calls B in this way with all gas and one wei, and drops the outcome. */
const callB = (opcode: 'f1' | 'f2'): string => `5f5f5f5f6001${push20(B)}5a${opcode}50`;

interface Frame {
  readonly type: string;
  readonly gas: Hex;
  readonly gasUsed: Hex;
  readonly error?: string;
  readonly calls?: readonly Frame[];
}

test('says in the words of geth why a call does not start, and why one that ran failed', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const errorOf = async (call: object, code: Hex = '0x') =>
    (await ask(rpc, 'eth_call', { from: me, to: A, ...call }, 'latest', { [A]: { code } })).error?.message;
  assert.equal(await errorOf({ gas: '0x5207' }), 'intrinsic gas too low: have 20999, want 21000');
  const address = `address ${alice.address}`;
  const { result: head } = await ask(rpc, 'eth_getBlockByNumber', 'latest', false);
  const baseFee = BigInt((head as unknown as { baseFeePerGas: Hex }).baseFeePerGas);
  assert.equal(
    await errorOf({ gasPrice: '0x1' }),
    `max fee per gas less than block base fee: ${address}, maxFeePerGas: 1, baseFee: ${baseFee}`,
  );
  assert.equal(
    await errorOf({ value: hex(10n ** 30n) }),
    `insufficient funds for gas * price + value: ${address} have ${1000n * ETHER} want ${10n ** 30n}`,
  );
  assert.equal(await errorOf({ gasPrice: hex(1n << 128n) }), 'max fee per gas is above 128 bits');
  assert.equal(await errorOf({}, '0xfe'), 'invalid opcode');
  assert.equal(await errorOf({}, '0x01'), 'stack underflow');
  assert.equal(await errorOf({}, '0x5f56'), 'invalid jump destination');
  assert.equal(await errorOf({}, '0x5b5f56'), 'out of gas');
  // Memory that no gas of a block pays for.
  assert.equal(await errorOf({}, '0x6404000000005f5f5e00'), 'out of gas');
});

test('a call that halts has used all its gas, and what never began has used none', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const trace = async (code: Hex, balance: Hex) => {
    const stateOverrides = { [A]: { code, balance }, [B]: { code: '0xfe' } };
    const config = { tracer: 'callTracer', stateOverrides };
    return (await ask(rpc, 'debug_traceCall', { from: me, to: A }, 'latest', config)).result as unknown as Frame;
  };
  const [halted] = (await trace(`0x${callB('f1')}`, '0x1')).calls ?? [];
  assert.equal(halted?.error, 'invalid opcode');
  assert.equal(halted?.gasUsed, halted?.gas);
  const [unpaid] = (await trace(`0x${callB('f1')}`, '0x0')).calls ?? [];
  assert.deepEqual([unpaid?.error, unpaid?.gasUsed], ['insufficient balance for transfer', '0x0']);
});

test('the opcode logger counts refunds over calls, and shows a step its contract by storage', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const word = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  // B empties its slot 0, for which there is a refund; A does the same after it.
  const stateOverrides = {
    [A]: { code: `0x${callB('f1')}5f5f55`, balance: '0x1', stateDiff: { [word(0)]: word(7) } },
    [B]: { code: '0x5f545f5f55', stateDiff: { [word(0)]: word(9) } },
  };
  const answer = await ask(rpc, 'debug_traceCall', { from: me, to: A }, 'latest', { stateOverrides });
  const { structLogs } = answer.result as unknown as {
    structLogs: { op: string; depth: number; refund?: number; storage?: Record<Hex, Hex> }[];
  };
  const stores = structLogs.filter(({ op }) => op === 'SSTORE');
  assert.deepEqual(
    stores.map(({ depth, refund }) => [depth, refund]),
    [
      [2, undefined],
      [1, 4800],
    ],
  );
  assert.equal(structLogs.at(-1)?.refund, 9600);
  const load = structLogs.find(({ op }) => op === 'SLOAD');
  assert.deepEqual(load?.storage, { [word(0)]: word(9) });
  const withoutStack = await ask(rpc, 'debug_traceCall', { from: me, to: A }, 'latest', {
    stateOverrides,
    disableStack: true,
  });
  const bare = (withoutStack.result as unknown as { structLogs: { op: string; storage?: object; stack?: unknown }[] })
    .structLogs;
  assert.deepEqual(bare.find(({ op }) => op === 'SLOAD')?.storage, load?.storage);
  assert.equal(bare[0]?.stack, undefined);
});

test('a simulation shows what self-destruction and CALLCODE move, and what is wider than the machine counts is refused', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const simulate = (call: object, state: object = {}) =>
    ask(rpc, 'eth_simulateV1', {
      blockStateCalls: [{ stateOverrides: state, calls: [{ from: me, to: A, ...call }] }],
      traceTransfers: true,
    });
  const moved = async (code: string) => {
    const { result } = await simulate({}, { [A]: { code: `0x${code}`, balance: '0x3' } });
    const [block] = result as unknown as { calls: { logs: { topics: Hex[]; data: Hex }[] }[] }[];
    return block?.calls[0]?.logs.map(({ topics, data }) => [
      ...topics.slice(1).map((topic) => `0x${topic.slice(-40)}`),
      BigInt(data),
    ]);
  };
  assert.deepEqual(await moved(`${push20(B)}ff`), [[A, B, 3n]]);
  assert.deepEqual(await moved(callB('f2')), [[A, A, 1n]]);
  assert.equal((await simulate({ gas: hex((1n << 64n) + 21_000n) })).error?.code, -38015);
  assert.equal((await simulate({ maxFeePerGas: hex(1n << 128n) })).error?.message, 'max fee per gas is above 128 bits');
  const fee = { baseFeePerGas: hex(1n << 64n) };
  assert.equal((await ask(rpc, 'eth_call', { to: A }, 'latest', {}, fee)).error?.code, -32602);
  const rich = { [A]: { balance: hex((1n << 256n) - 1n) } };
  assert.equal((await ask(rpc, 'eth_call', { from: A, to: B, value: hex(ETHER) }, 'latest', rich)).result, '0x');
});

test('nothing that a simulation made is there for the next call', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  // Code of a contract that the first call creates and the second one reads.
  const creation: Hex = '0x60025f5360015ff3';
  const [block] = (
    await ask(rpc, 'eth_simulateV1', {
      blockStateCalls: [{ calls: [{ from: me, data: creation }] }, { calls: [{ from: me, to: B, value: '0x1' }] }],
    })
  ).result as unknown as { stateRoot: Hex; calls: { status: Hex }[] }[];
  assert.equal(block?.calls[0]?.status, '0x1');
  const latest = (await ask(rpc, 'eth_getBlockByNumber', 'latest', false)).result as unknown as { stateRoot: Hex };
  assert.notEqual(block?.stateRoot, latest.stateRoot);
  const balance = { to: A, data: '0x' };
  // BALANCE of B, which the simulation paid.
  const code = { [A]: { code: `0x${push20(B)}315f5260205ff3` } };
  assert.equal(BigInt((await ask(rpc, 'eth_call', balance, 'latest', code)).result ?? '0x1'), 0n);
});
