import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { createRpcServer, type RpcServer } from '../../../../../appliance/rollup/sequencer/rpc-server.ts';

const handle = async (body: unknown): Promise<unknown> => ({ echo: body ?? null });
let server: RpcServer;

before(async () => {
  server = createRpcServer({ host: '127.0.0.1', port: 0, maxBodyBytes: 100 }, { handle });
  await server.start(new AbortController().signal);
});
after(() => server.stop());

const json = { 'content-type': 'application/json' };
const post = (body: string, path = '/', headers: Record<string, string> = json) =>
  fetch(`${server.url()}${path}`, { method: 'POST', body, headers });

test('answers a JSON-RPC body on POST / and nothing else', async () => {
  const response = await post('{"a":1}');
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { echo: { a: 1 } });
  assert.deepEqual(await (await post('not json')).json(), { echo: null });
  assert.equal((await post('{}', '/admin')).status, 404);
  assert.equal((await fetch(server.url())).status, 405);
  assert.equal((await post('{}', '/', { 'content-type': 'text/plain' })).status, 415);
});

test('reads no more than it may, with or without a declared length', async () => {
  assert.equal((await post('x'.repeat(101))).status, 413);
  const body = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 20; i += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(10)));
      controller.close();
    },
  });
  const streamed = await fetch(server.url(), { method: 'POST', body, headers: json, duplex: 'half' } as RequestInit);
  assert.equal(streamed.status, 413);
});

test('refuses a name that is not this machine (DNS rebinding)', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { ...json, host: 'evil.example' };
    const asked = request(server.url(), { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end('{}');
  });
  assert.equal(status, 403);
});

test('a port that is taken is one clear error', async () => {
  const port = Number(new URL(server.url()).port);
  const second = createRpcServer({ host: '127.0.0.1', port, maxBodyBytes: 100 }, { handle });
  await assert.rejects(second.start(new AbortController().signal), { code: 'ROLLUP_SEQUENCER_RPC_PORT' });
  assert.equal(second.readiness().ready, false);
  await second.stop();
});
