import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGatheredRpc } from '../../../../../appliance/rollup/account/gathered-calls.ts';
import type { BatchRpc, RpcCall } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';

const { signal } = new AbortController();
const BOUNDS = { maxCalls: 3, maxBytes: 1_000, maxRequests: 1, maxWaitMs: 10_000 };

/** A sequencer that answers a request when the test says so: each call with its first parameter. */
function gathered(bounds: Partial<typeof BOUNDS> = {}) {
  const requests: { readonly calls: readonly RpcCall[]; readonly answer: () => void; readonly fail: () => void }[] = [];
  const clock = { now: 0 };
  const rpc: BatchRpc = {
    call: () => assert.fail('a call that was not gathered'),
    callAll: (calls) =>
      new Promise((resolve, reject) => {
        const answers = calls.map(
          ({ params: [value] }): PromiseSettledResult<unknown> =>
            value === 'bad' ? { status: 'rejected', reason: new Error('refused') } : { status: 'fulfilled', value },
        );
        requests.push({ calls, answer: () => resolve(answers), fail: () => reject(new Error('gone')) });
      }),
    distrust: () => {},
  };
  const { call } = createGatheredRpc(rpc, { ...BOUNDS, ...bounds }, () => clock.now);
  const send = (value: string, by = signal) => call('send', [value], by);
  const sent = () => requests.map(({ calls }) => calls.map(({ params }) => params[0]));
  return { requests, clock, send, sent };
}

test('calls of one turn go together, and one that is alone goes at once', async () => {
  const { requests, send, sent } = gathered();
  const alone = send('a');
  await turn();
  assert.deepEqual(sent(), [['a']]);
  requests[0]?.answer();
  assert.equal(await alone, 'a');
  const both = [send('b'), send('c')];
  await turn();
  assert.deepEqual(sent(), [['a'], ['b', 'c']]);
  requests[1]?.answer();
  assert.deepEqual(await Promise.all(both), ['b', 'c']);
});

test('what comes while a request is on its way goes with the next ones, in its order and within their bounds', async () => {
  const { requests, send, sent } = gathered();
  const calls = [send('a')];
  await turn();
  for (const value of ['b', 'c', 'd', 'e', 'x'.repeat(2_000), 'f']) calls.push(send(value));
  await turn();
  assert.deepEqual(sent(), [['a']]);
  for (let at = 0; at < 5; at++) {
    requests[at]?.answer();
    await calls[at];
    await turn();
  }
  assert.deepEqual(sent(), [['a'], ['b', 'c', 'd'], ['e'], ['x'.repeat(2_000)], ['f']]);
  await Promise.all(calls);
});

test('an error stays with its own call', async () => {
  const { requests, send } = gathered();
  const calls = ['a', 'bad', 'c'].map((value) => send(value));
  await turn();
  requests[0]?.answer();
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a request that is lost is the error of its calls alone; the next ones go on', async () => {
  const { requests, send } = gathered();
  const lost = send('a');
  await turn();
  const next = send('b');
  requests[0]?.fail();
  await assert.rejects(lost, /gone/);
  await turn();
  requests[1]?.answer();
  assert.equal(await next, 'b');
});

test('one that did not get its turn in time is not sent', async () => {
  const { requests, clock, send, sent } = gathered();
  const first = send('a');
  await turn();
  const late = send('b');
  clock.now = 9_000;
  const fresh = send('c');
  clock.now = 10_001;
  requests[0]?.answer();
  await first;
  await assert.rejects(late, (error) => isNectarError(error, 'ROLLUP_L1_UNREACHABLE'));
  await turn();
  assert.deepEqual(sent(), [['a'], ['c']]);
  requests[1]?.answer();
  await fresh;
});

test('calls with another end go by themselves', async () => {
  const { requests, send, sent } = gathered({ maxRequests: 2 });
  const calls = [send('a'), send('b'), send('c', new AbortController().signal)];
  await turn();
  assert.deepEqual(sent(), [['a', 'b'], ['c']]);
  for (const { answer } of requests) answer();
  await Promise.all(calls);
});
