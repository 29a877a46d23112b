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
