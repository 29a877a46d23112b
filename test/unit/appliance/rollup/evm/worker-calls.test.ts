import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { getCreateAddress } from 'ethers';
import { createCpuBudget } from '../../../../../appliance/rollup/evm/cpu-budget.ts';
import type { EvmTask } from '../../../../../appliance/rollup/evm/evm-calls.ts';
import { type EvmThread, startEvmThread } from '../../../../../appliance/rollup/evm/evm-thread.ts';
import {
  createWorkerCalls,
  type Outcome,
  type WorkerCallsOptions,
} from '../../../../../appliance/rollup/evm/worker-calls.ts';
import { loadMachine } from '../../../../../appliance/rollup/execute/machine-file.ts';
import { RPC_CODE, RpcError } from '../../../../../appliance/rollup/rpc/rpc-error.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { addressOf, alice, input, MACHINE_RULES, openChain, transfer } from '../execute/chain-fixture.ts';

const KEY = new Uint8Array(32).fill(7);
const deployed = (nonce: number): Hex => getCreateAddress({ from: alice.address, nonce }).toLowerCase() as Hex;
/** JUMPDEST PUSH1 0 JUMP: as long as there is gas. */
const LOOP = { at: deployed(0), creation: '0x635b6000566000526004601cf3' };
/** PUSH1 42 PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN */
const ANSWER = { at: deployed(1), creation: '0x69602a60005260206000f3600052600a6016f3' };
/** JUMPDEST, EXTCODECOPY of 24 KiB of itself, PUSH1 0 JUMP: the instruction that costs most time for its gas, as long as there is any. */
const COPY = { at: deployed(2), creation: '0x6c5b61600060006000303c600056600052600d6013f3' };

/** A loop takes minutes with so much: no machine ends it before its deadline. */
const GAS = 3_000_000_000_000n;

/** A chain with the contracts, and the EVM in threads over its database. */
async function stand(more: Partial<WorkerCallsOptions> = {}) {
  const chain = await openChain(KEY);
  const creations = [LOOP, ANSWER, COPY].map(({ creation }, nonce) =>
    transfer(alice, nonce, { to: null, value: 0n, data: creation }),
  );
  const { receipts } = await chain.executor.build(input(1, await Promise.all(creations)));
  assert.deepEqual(
    receipts.map(({ status }) => status),
    [1, 1, 1],
  );
  const spent: [Outcome, number][] = [];
  const evm = createWorkerCalls(
    {
      threads: 1,
      deadlineMs: 60_000,
      maxQueued: 16,
      maxQueuedPerCaller: 8,
      budgetMs: 60_000,
      budgetRefill: 0.5,
      idleMs: 600_000,
      ...more,
    },
    {
      spawn: () =>
        startEvmThread({
          module: loadMachine(),
          machineRules: MACHINE_RULES,
          database: { path: chain.path, databaseKey: KEY, cacheBytes: 1 << 20 },
        }),
      now: () => performance.now(),
      log: createLogger({ level: 'silent' }),
      onSpent: (outcome, ms) => spent.push([outcome, ms]),
    },
  );
  chain.database.beforeReopen(() => evm.release());
  const { header } = await chain.executor.build(input(2));
  const task = (to: Hex, kind: 'call' | 'estimate' = 'call', data: Hex = '0x'): EvmTask => ({
    kind,
    header: header.serialize(),
    request: { from: addressOf(alice), to, gas: GAS, gasPrice: 0n, value: 0n, data, accessList: [] },
    overrides: { block: { gasLimit: GAS } },
  });
  return {
    chain,
    evm,
    task,
    spent,
    async [Symbol.asyncDispose]() {
      await evm.stop();
      await chain[Symbol.asyncDispose]();
    },
  };
}

const isRpcError = (code: number, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RpcError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

test('a thread answers as the own thread does', async () => {
  await using on = await stand();
  const tasks = [on.task(ANSWER.at), on.task(ANSWER.at, 'estimate'), on.task(`0x${'4e43'.padEnd(38, '0')}01`, 'call')];
  for (const task of tasks) {
    const client = { caller: 'a' };
    assert.deepEqual(await on.evm.run(task, client), await on.chain.evm.run(task, client));
  }
  assert.deepEqual(
    on.spent.map(([outcome]) => outcome),
    ['done', 'done', 'done'],
  );
});

/** How often this thread had its turn while the work was done. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 10);
  try {
    await work();
    return turns;
  } finally {
    clearInterval(ticking);
  }
}

test('a call that runs for ever is ended at its deadline, while the node goes on, and others are answered after it', async () => {
  await using on = await stand({ deadlineMs: 4_000 });
  await on.evm.run(on.task(ANSWER.at), { caller: 'b' });
  const turns = await turnsDuring(async () => {
    const endless = on.evm.run(on.task(LOOP.at), { caller: 'a' });
    const other = on.evm.run(on.task(ANSWER.at), { caller: 'b' });
    await assert.rejects(endless, isRpcError(RPC_CODE.server, /^execution aborted \(timeout = 4s\)$/));
    assert.equal((await other).kind, 'ok');
  });
  assert.ok(turns > 1);
});

test('copies of code, which once took ten times their gas, freeze nobody', async () => {
  await using on = await stand({ deadlineMs: 4_000 });
  await on.evm.run(on.task(ANSWER.at), { caller: 'b' });
  const turns = await turnsDuring(async () => {
    const copying = on.evm.run(on.task(COPY.at), { caller: 'a' }).then(
      (answer) => (answer.kind === 'failed' ? answer.reason : answer.kind),
      (error: Error) => error.message,
    );
    const other = on.evm.run(on.task(ANSWER.at), { caller: 'b' });
    assert.match(await copying, /^execution aborted \(timeout = 4s\)$/);
    assert.equal((await other).kind, 'ok');
  });
  assert.ok(turns > 1);
});

test('a client that leaves takes its call with it, whether it waits or runs', async () => {
  await using on = await stand();
  await on.evm.run(on.task(ANSWER.at), { caller: 'b' });
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = on.evm.run(on.task(LOOP.at), { caller: 'a', signal: running.signal });
  const second = on.evm.run(on.task(LOOP.at), { caller: 'a', signal: waiting.signal });
  const third = on.evm.run(on.task(ANSWER.at), { caller: 'b' });
  waiting.abort();
  await assert.rejects(second, /the client left/);
  running.abort();
  await assert.rejects(first, /the client left/);
  assert.equal((await third).kind, 'ok');
});

test('one caller cannot use up the computing time of others', async () => {
  await using on = await stand({ budgetMs: 100 });
  const leaving = new AbortController();
  const endless = on.evm.run(on.task(LOOP.at), { caller: 'a', signal: leaving.signal });
  leaving.abort();
  await assert.rejects(endless, /the client left/);
  await assert.rejects(
    on.evm.run(on.task(ANSWER.at), { caller: 'a' }),
    isRpcError(RPC_CODE.limitExceeded, /used its computing time; there is more in \d s/),
  );
  assert.equal((await on.evm.run(on.task(ANSWER.at), { caller: 'b' })).kind, 'ok');
});

test('what waits is bounded, in all and of one caller', async () => {
  await using on = await stand({ maxQueued: 3, maxQueuedPerCaller: 2 });
  const leaving = new AbortController();
  const calls = ['a', 'a', 'a'].map((caller) =>
    on.evm.run(on.task(LOOP.at), { caller, signal: leaving.signal }).catch((error: Error) => error.message),
  );
  const tooMany = isRpcError(RPC_CODE.limitExceeded, /too many calls are waiting/);
  await assert.rejects(on.evm.run(on.task(ANSWER.at), { caller: 'a' }), tooMany);
  const other = on.evm.run(on.task(ANSWER.at), { caller: 'b' });
  await assert.rejects(on.evm.run(on.task(ANSWER.at), { caller: 'c' }), tooMany);
  leaving.abort();
  assert.deepEqual(await Promise.all(calls), ['the client left', 'the client left', 'the client left']);
  assert.equal((await other).kind, 'ok');
});

test('a thread lets go of the database when it is asked to, and begins again', async () => {
  await using on = await stand();
  assert.equal((await on.evm.run(on.task(ANSWER.at), { caller: 'a' })).kind, 'ok');
  await on.evm.release();
  await on.chain.reopen();
  assert.equal((await on.evm.run(on.task(ANSWER.at), { caller: 'a' })).kind, 'ok');
  await on.evm.stop();
  await assert.rejects(on.evm.run(on.task(ANSWER.at), { caller: 'a' }), /not ready/);
});

/** Threads that answer at once, and say how many there are. */
function countedThreads() {
  const count = { started: 0, running: 0 };
  const gone: (() => void)[] = [];
  const spawn = (): EvmThread => {
    let reply: Parameters<EvmThread['onReply']>[0] = () => undefined;
    count.started += 1;
    count.running += 1;
    return {
      post: ({ id }) =>
        setImmediate(() =>
          reply({ kind: 'done', id, cpuMs: 1, answer: { kind: 'ok', gasUsed: 1n, returned: new Uint8Array() } }),
        ),
      onReply(listener) {
        reply = listener;
        setImmediate(() => reply({ kind: 'ready' }));
      },
      onExit: () => undefined,
      async end() {
        await new Promise<void>((resolve) => gone.push(resolve));
        count.running -= 1;
      },
    };
  };
  return { count, gone, spawn };
}

test('a thread that nobody calls any more ends, begins again with the next call, and is waited for by a stop', async () => {
  const { count, gone, spawn } = countedThreads();
  const options = {
    threads: 1,
    deadlineMs: 60_000,
    maxQueued: 1,
    maxQueuedPerCaller: 1,
    budgetMs: 60_000,
    budgetRefill: 1,
  };
  const log = createLogger({ level: 'silent' });
  const evm = createWorkerCalls({ ...options, idleMs: 1 }, { spawn, now: () => performance.now(), log });
  const task = { kind: 'call', header: new Uint8Array(), request: {} } as unknown as EvmTask;
  for (const started of [1, 2]) {
    assert.equal((await evm.run(task, { caller: 'a' })).kind, 'ok');
    assert.equal(count.started, started);
    while (gone.length < started) await delay(1);
  }
  // Both are on their way out, and hold the database open until they are gone.
  let isStopped = false;
  const stopped = evm.stop().then(() => {
    isStopped = true;
  });
  gone[0]?.();
  await delay(5);
  assert.deepEqual([isStopped, count.running], [false, 1]);
  gone[1]?.();
  await stopped;
  assert.equal(count.running, 0);
});

test('a budget comes back with time, up to what it was', () => {
  let now = 0;
  const budget = createCpuBudget({ capacityMs: 1_000, refill: 0.5 }, () => now);
  budget.spend('a', 1_500);
  assert.equal(budget.waitS('a'), 2);
  assert.equal(budget.waitS('b'), 0);
  now += 1_100;
  assert.equal(budget.waitS('a'), 0);
  now += 1_000_000;
  budget.spend('a', 999);
  assert.equal(budget.waitS('a'), 0);
});
