import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCpuBudget } from '../../../../../appliance/rollup/evm/cpu-budget.ts';
import { OWN_CALL } from '../../../../../appliance/rollup/rpc/json-rpc.ts';
import { createWorkMeter } from '../../../../../appliance/rollup/rpc/work-meter.ts';
import { PREDEPLOYS } from '../../../../../protocol/rollup/genesis.ts';
import { input, openChain } from '../execute/chain-fixture.ts';
import { type Answer, rpcOf } from './rpc-fixture.ts';

const ALICE = { caller: 'alice' };
const SLOTS = Array.from({ length: 200 }, (_, i) => `0x${i.toString(16)}`);

function budgetOf(capacityMs: number) {
  return createCpuBudget({ capacityMs, refill: 0.5 }, () => 0);
}

test('work is paid for by who asked, and ends when the budget does', async () => {
  const meter = createWorkMeter({ budget: budgetOf(50), deadlineMs: 1_000 });
  const work = meter.begin(ALICE);
  await work.spend(40);
  await assert.rejects(work.spend(20), { code: -32005, message: /used its computing time; there is more in 1 s/ });
  assert.throws(() => meter.begin(ALICE), { code: -32005 });
  await meter.begin({ caller: 'bob' }).spend(49);
});

test('work ends at the deadline, and when the client leaves; the node itself works on', async () => {
  const meter = createWorkMeter({ budget: budgetOf(10_000), deadlineMs: 100 });
  const work = meter.begin(ALICE);
  await work.spend(90);
  await assert.rejects(work.spend(20), { code: -32000, message: 'execution aborted (timeout = 0.1s)' });
  const left = AbortSignal.abort();
  await assert.rejects(meter.begin({ caller: 'bob', signal: left }).spend(10), { message: 'the client left' });
  await meter.begin(OWN_CALL).spend(1_000_000);
});

test('eth_getLogs and eth_getProof draw on the budget that eth_call has', async () => {
  await using chain = await openChain();
  for (let block = 1; block <= 3; block++) await chain.executor.build(input(block));
  const budget = budgetOf(20);
  const rpc = rpcOf(chain, { budget });
  const as = async (caller: string, method: string, params: unknown[]): Promise<Answer> =>
    (await rpc.handle({ jsonrpc: '2.0', id: 1, method, params }, { caller })) as Answer;
  const proof = [PREDEPLOYS.nodeRegistry, SLOTS, 'latest'];
  let asked = 0;
  let answer = await as('alice', 'eth_getProof', proof);
  while (answer.error === undefined) {
    asked += 1;
    assert.ok(asked < 100, 'proofs without end');
    answer = await as('alice', 'eth_getProof', proof);
  }
  assert.equal(answer.error.code, -32005);
  assert.equal((await as('alice', 'eth_getLogs', [{ fromBlock: '0x0' }])).error?.code, -32005);
  assert.ok('result' in (await as('bob', 'eth_getLogs', [{ fromBlock: '0x0' }])));
  assert.ok(budget.waitS('alice') > 0);
  budget.spend('bob', 30);
  assert.equal((await as('bob', 'eth_getProof', proof)).error?.code, -32005);
});

test('a proof of many slots is the same as one of each', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const ask = async (slots: string[]) =>
    (
      (await rpc.handle({
        jsonrpc: '2.0',
        id: 1,
        method: 'eth_getProof',
        params: [PREDEPLOYS.nodeRegistry, slots, 'latest'],
      })) as { result: { storageProof: unknown[] } }
    ).result;
  const whole = await ask(SLOTS.slice(0, 20));
  assert.equal(whole.storageProof.length, 20);
  for (const i of [0, 7, 8, 19])
    assert.deepEqual((await ask([SLOTS[i] as string])).storageProof[0], whole.storageProof[i]);
});
