import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJsonRpc, RpcRefusal } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';

const signal = new AbortController().signal;

function rpcOver(answers: Record<string, () => Promise<Response> | Response>, timeoutMs = 1_000) {
  const asked: string[] = [];
  const fetchDouble = async (url: unknown, init?: { signal?: AbortSignal | null }) => {
    asked.push(String(url));
    const answer = Promise.resolve((answers[String(url)] as () => Response)());
    return Promise.race([
      answer,
      new Promise<Response>((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))),
    ]);
  };
  const options = { urls: Object.keys(answers), timeoutMs, maxResponseBytes: 1_000 };
  return { asked, rpc: createJsonRpc(options, { fetch: fetchDouble as typeof fetch }) };
}

const result = (value: unknown) => () => Response.json({ jsonrpc: '2.0', id: 1, result: value });
const refusal = (code: number) => () =>
  Response.json({ jsonrpc: '2.0', id: 1, error: { code, message: 'no', data: '0x12' } });
const dead = () => Promise.reject(new TypeError('fetch failed'));

test('asks the next endpoint when one does not answer, and stays with the one that did', async () => {
  const { rpc, asked } = rpcOver({ 'http://a': dead, 'http://b': result('0x1') });
  assert.equal(await rpc.call('eth_chainId', [], signal), '0x1');
  assert.equal(await rpc.call('eth_chainId', [], signal), '0x1');
  assert.deepEqual(asked, ['http://a', 'http://b', 'http://b']);
});

test('leaves an endpoint that lied', async () => {
  const { rpc } = rpcOver({ 'http://a': result('a'), 'http://b': result('b') });
  assert.equal(await rpc.call('x', [], signal), 'a');
  rpc.distrust();
  assert.equal(await rpc.call('x', [], signal), 'b');
});

test('a refusal is an answer; not knowing the method is none', async () => {
  const refusing = rpcOver({ 'http://a': refusal(3), 'http://b': result('b') });
  await assert.rejects(refusing.rpc.call('eth_call', [], signal), (error) => {
    assert.ok(isNectarError(error, 'ROLLUP_L1_REFUSED'));
    assert.ok(error.cause instanceof RpcRefusal && error.cause.data === '0x12');
    return !error.message.includes('no,');
  });
  assert.equal(await rpcOver({ 'http://a': refusal(-32601), 'http://b': result('b') }).rpc.call('x', [], signal), 'b');
});

test('an answer that is too long, no JSON, or late counts as none, and the error says which', async () => {
  const answers = [
    [result('x'.repeat(2_000)), 'its answer is of no use: response size'],
    [() => new Response('<html>'), 'what answers there is no Ethereum node'],
    [() => Response.json(7), 'its answer is of no use: JSON-RPC envelope'],
    [() => new Promise<Response>(() => {}), 'it did not answer in time'],
    [
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
      'the connection did not',
    ],
  ] as const;
  for (const [answer, reason] of answers) {
    const { rpc } = rpcOver({ 'http://a': answer }, 30);
    await assert.rejects(rpc.call('x', [], signal), (error) => {
      assert.ok(isNectarError(error, 'ROLLUP_L1_UNREACHABLE'));
      assert.match(error.message, new RegExp(`no L1 endpoint answered x: ${reason}`));
      return true;
    });
  }
  await assert.rejects(rpcOver({}).rpc.call('x', [], signal), /none is configured/);
});

test('stops at once when it is told to', async () => {
  const abort = new AbortController();
  const { rpc } = rpcOver({ 'http://a': () => new Promise<Response>(() => {}) }, 60_000);
  const call = rpc.call('x', [], abort.signal);
  abort.abort();
  await assert.rejects(call, { name: 'AbortError' });
});

/** An endpoint that takes requests as a server does; `answer` makes the body of a batch or of a single call. */
function serving(answer: (body: unknown) => unknown) {
  const bodies: unknown[] = [];
  const clock = { now: 0 };
  const fetchDouble = async (_url: unknown, init?: { body?: unknown }) => {
    const body: unknown = JSON.parse(String(init?.body));
    bodies.push(body);
    const text = answer(body);
    return typeof text === 'string' ? new Response(text) : Response.json(text);
  };
  const options = { urls: ['http://a'], timeoutMs: 1_000, maxResponseBytes: 10_000 };
  return { bodies, clock, rpc: createJsonRpc(options, { fetch: fetchDouble as typeof fetch, now: () => clock.now }) };
}

interface Asked {
  readonly id: number;
  readonly method: string;
}
const answerOne = ({ id, method }: Asked) =>
  method === 'bad'
    ? { jsonrpc: '2.0', id, error: { code: -32000, message: 'nonce too low' } }
    : { jsonrpc: '2.0', id, result: method };
const answerEach = (body: unknown) =>
  Array.isArray(body) ? body.map(answerOne).toReversed() : answerOne(body as Asked);
const calls = (...methods: string[]) => methods.map((method) => ({ method, params: [] }));
const shown = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error & { cause: Error }).cause.message;

test('several calls are one request; each has its own answer or refusal, in whatever order they come', async () => {
  const { rpc, bodies } = serving(answerEach);
  const outcomes = await rpc.callAll(calls('a', 'bad', 'c'), signal);
  assert.deepEqual(outcomes.map(shown), ['a', 'nonce too low', 'c']);
  assert.equal(bodies.length, 1);
  assert.deepEqual(await rpc.callAll([], signal), []);
  assert.deepEqual((await rpc.callAll(calls('d'), signal)).map(shown), ['d']);
  assert.equal(Array.isArray(bodies[1]), false, 'one call is no batch');
});

test('calls that a batch was not answered for are asked singly', async () => {
  const { rpc, bodies } = serving((body) =>
    Array.isArray(body) ? [{ id: 'x' }, null, 7, ...body.map(answerOne).slice(0, 1)] : answerEach(body),
  );
  const outcomes = await rpc.callAll(calls('a', 'bad', 'c'), signal);
  assert.deepEqual(outcomes.map(shown), ['a', 'nonce too low', 'c']);
  assert.equal(bodies.length, 3);
});

for (const [what, answer] of [
  ['an error', { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no batches' } }],
  ['a page', '<html>413</html>'],
  ['too much', 'x'.repeat(20_000)],
] as const)
  test(`an endpoint that answers a batch with ${what} is asked one by one, and tried again after a while`, async () => {
    const { rpc, bodies, clock } = serving((body) => (Array.isArray(body) ? answer : answerEach(body)));
    const batches = () => bodies.filter(Array.isArray).length;
    for (let time = 0; time < 2; time++)
      assert.deepEqual((await rpc.callAll(calls('a', 'bad'), signal)).map(shown), ['a', 'nonce too low']);
    assert.equal(batches(), 1);
    clock.now = 600_000;
    await rpc.callAll(calls('a', 'b'), signal);
    assert.equal(batches(), 2);
  });

test('a batch goes to the next endpoint when one does not answer, and says when none does', async () => {
  const all = () => Response.json([1, 2].map((id) => ({ jsonrpc: '2.0', id: id + 2, result: id })));
  const { rpc, asked } = rpcOver({ 'http://a': dead, 'http://b': all });
  assert.deepEqual((await rpc.callAll(calls('a', 'b'), signal)).map(shown), [1, 2]);
  assert.deepEqual(asked, ['http://a', 'http://b']);
  await assert.rejects(rpcOver({ 'http://a': dead }).rpc.callAll(calls('a', 'b'), signal), (error) =>
    isNectarError(error, 'ROLLUP_L1_UNREACHABLE'),
  );
});
