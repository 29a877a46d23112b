import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCreateAddress, Interface, keccak256 } from 'ethers';
import type { Hex } from '../../../../../protocol/brand.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { addressOf, alice, bob, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from './rpc-fixture.ts';

const me = addressOf(alice);
const TOKEN = getCreateAddress({ from: alice.address, nonce: 0 }).toLowerCase() as Hex;
const token = new Interface(TestTokenAbi as never);
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;
const send = (to: string, amount: bigint) => token.encodeFunctionData('transfer', [to, amount]);
const A: Hex = `0x${'aa'.repeat(20)}`;
const B: Hex = `0x${'bb'.repeat(20)}`;
/** Calls B with one wei, then delegates to B, then asks it statically; B logs unless it may not. */
const CALLER: Hex = `0x${['6000808080600173', B.slice(2), '5af1506000808080', '73', B.slice(2), '5af4506000808080', '73', B.slice(2), '5afa5000'].join('')}`;
const CALLED: Hex = '0x602a60005260206000f3';

interface Frame {
  type: string;
  from: string;
  to: string;
  value?: string;
  gas: Hex;
  gasUsed: Hex;
  output?: string;
  error?: string;
  revertReason?: string;
  calls?: Frame[];
  logs?: { topics: string[]; address: string; position: string }[];
}

/** Block 1 issues a token; block 2 transfers some twice, and then too much. */
async function traced() {
  const chain = await openChain();
  await chain.executor.build(input(1, [await transfer(alice, 0, { to: null, value: 0n, data: ISSUE })]));
  const raws = await Promise.all(
    [5n, 7n, 10n ** 30n].map((amount, index) =>
      transfer(alice, index + 1, { to: TOKEN, value: 0n, data: send(bob.address, amount) }),
    ),
  );
  const { receipts } = await chain.executor.build(input(2, raws));
  const rpc = rpcOf(chain);
  return {
    chain,
    rpc,
    receipts,
    hashes: raws.map((raw) => keccak256(raw) as Hex),
    trace: async (hash: Hex, config?: object) =>
      (await ask(rpc, 'debug_traceTransaction', hash, config)).result as unknown,
    [Symbol.asyncDispose]: () => chain[Symbol.asyncDispose](),
  };
}

test('callTracer gives the calls of a transaction with the gas of its receipt', async () => {
  await using stand = await traced();
  for (const [index, hash] of stand.hashes.entries()) {
    const frame = (await stand.trace(hash, { tracer: 'callTracer', tracerConfig: { withLog: true } })) as Frame;
    assert.deepEqual([frame.type, frame.from, frame.to, frame.value], ['CALL', me, TOKEN, '0x0']);
    assert.equal(BigInt(frame.gasUsed), stand.receipts[index]?.gasUsed);
    assert.equal(frame.gas, '0x2dc6c0');
    if (index < 2) {
      assert.equal(frame.logs?.[0]?.topics[0], token.getEvent('Transfer')?.topicHash);
      assert.equal(frame.error, undefined);
    } else {
      assert.equal(frame.error, 'execution reverted');
      assert.equal(frame.logs, undefined);
    }
  }
  const creation = keccak256(await transfer(alice, 0, { to: null, value: 0n, data: ISSUE })) as Hex;
  const answer = await ask(stand.rpc, 'debug_traceTransaction', creation, { tracer: 'callTracer' });
  const created = answer.result as unknown as Frame;
  assert.deepEqual([created?.type, created?.to], ['CREATE', TOKEN], JSON.stringify(answer).slice(0, 300));
});

test('prestateTracer gives what the transaction finds, after those before it, and what it changes', async () => {
  await using stand = await traced();
  const second = stand.hashes[1] as Hex;
  const found = (await stand.trace(second, { tracer: 'prestateTracer' })) as Record<
    Hex,
    { nonce?: number; code?: Hex; storage?: Record<Hex, Hex> }
  >;
  assert.equal(found[me]?.nonce, 2);
  assert.ok(found[TOKEN]?.code);
  const values = Object.values(found[TOKEN]?.storage ?? {}).map(BigInt);
  assert.deepEqual(
    values.toSorted((a, b) => Number(a - b)),
    [5n, 995n],
  );
  const { pre, post } = (await stand.trace(second, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } })) as {
    pre: typeof found;
    post: typeof found;
  };
  assert.equal(post[me]?.nonce, 3);
  assert.equal(post[TOKEN]?.code, undefined);
  assert.deepEqual(
    Object.values(post[TOKEN]?.storage ?? {})
      .map(BigInt)
      .toSorted((a, b) => Number(a - b)),
    [12n, 988n],
  );
  assert.deepEqual(Object.keys(pre).toSorted(), Object.keys(post).toSorted());
});

test('the opcode logger gives every step, within bounds that are said', async () => {
  await using stand = await traced();
  const hash = stand.hashes[0] as Hex;
  const steps = async (config?: object) =>
    (await stand.trace(hash, config)) as {
      gas: number;
      failed: boolean;
      returnValue: Hex;
      structLogs: { op: string; pc: number; depth: number; stack?: string[]; memory?: string[]; storage?: object }[];
    };
  const whole = await steps();
  assert.equal(BigInt(whole.gas), stand.receipts[0]?.gasUsed);
  assert.equal(whole.failed, false);
  assert.deepEqual(whole.structLogs[0]?.stack, []);
  assert.ok(whole.structLogs.some(({ op, storage }) => op === 'SSTORE' && storage !== undefined));
  assert.equal(whole.structLogs.at(-1)?.op, 'RETURN');
  const short = await steps({ limit: 3, disableStack: true, enableMemory: true });
  assert.equal(short.structLogs.length, 3);
  assert.deepEqual([short.structLogs[0]?.stack, short.structLogs[0]?.memory], [undefined, []]);
  const loop = { to: A, gas: '0x1000000' };
  const config = { disableStack: true, stateOverrides: { [A]: { code: '0x5b600056' } } };
  const { error } = await ask(stand.rpc, 'debug_traceCall', loop, 'latest', config);
  assert.deepEqual([error?.code, error?.message], [-32005, 'the trace holds more than 20000 steps']);
});

test('debug_traceCall traces what is not in the chain, with overrides; each kind of call by its name', async () => {
  await using stand = await traced();
  const stateOverrides = { [A]: { code: CALLER, balance: '0x1' }, [B]: { code: CALLED } };
  const trace = async (config: object) =>
    (await ask(stand.rpc, 'debug_traceCall', { from: me, to: A }, 'latest', { stateOverrides, ...config }))
      .result as unknown;
  const frame = (await trace({ tracer: 'callTracer' })) as Frame;
  assert.deepEqual(
    frame.calls?.map(({ type, from, to, value, output }) => [type, from, to, value, output?.slice(-2)]),
    [
      ['CALL', A, B, '0x1', '2a'],
      ['DELEGATECALL', A, B, '0x0', '2a'],
      ['STATICCALL', A, B, undefined, '2a'],
    ],
  );
  const top = (await trace({ tracer: 'callTracer', tracerConfig: { onlyTopCall: true } })) as Frame;
  assert.equal(top.calls, undefined);
  const touched = (await trace({ tracer: 'prestateTracer' })) as Record<string, { balance: string }>;
  assert.deepEqual([touched[A]?.balance, touched[B]?.balance], ['0x1', '0x0']);
  const revert = { from: me, to: TOKEN, data: send(bob.address, 10n ** 30n) };
  const failed = (await ask(stand.rpc, 'debug_traceCall', revert, 'latest', { tracer: 'callTracer' }))
    .result as unknown as Frame;
  assert.equal(failed.error, 'execution reverted');
});

test('a whole block is traced by number and hash; what cannot be traced is refused', async () => {
  await using stand = await traced();
  const hash = (await stand.chain.database.canonicalHash(2n)) as Hex;
  for (const [method, at] of [
    ['debug_traceBlockByNumber', '0x2'],
    ['debug_traceBlockByHash', hash],
  ] as const) {
    const traces = (await ask(stand.rpc, method, at, { tracer: 'callTracer' })).result as unknown as {
      txHash: Hex;
      result: Frame;
    }[];
    assert.deepEqual(
      traces.map(({ txHash }) => txHash),
      stand.hashes,
    );
    assert.deepEqual(
      traces.map(({ result }) => result.error),
      [undefined, undefined, 'execution reverted'],
    );
  }
  const error = async (method: string, ...params: unknown[]) => (await ask(stand.rpc, method, ...params)).error;
  assert.equal((await error('debug_traceBlockByNumber', '0x0'))?.message, 'genesis is not traceable');
  assert.equal((await error('debug_traceBlockByNumber', '0x9'))?.message, 'block not found');
  assert.equal((await error('debug_traceTransaction', hash))?.message, 'transaction not found');
  assert.equal((await error('debug_traceTransaction', hash, { tracer: '{step: function() {}}' }))?.code, -32602);
});
