import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Harness, startHarness } from './harness.ts';

const PING_MS = 30_000;
const KIB = 1024;
/** Together more than the kernel takes for a client that reads nothing. */
const ANSWERS = 24;
const ANSWER_BYTES = 900 * KIB;

/** The clock of the pings is the test's; nothing else of the node's is. */
describe('a WebSocket client that stops reading', () => {
  let h: Harness;
  let socket: WebSocket;
  let heads = 0;
  const messages: { id?: number; result?: string; method?: string }[] = [];
  const closed = { code: 0, reason: '' };

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    h = await startHarness({ maxRpcSocketBufferBytes: 64 * KIB, lingerMs: 1 });
    [heads, messages.length] = [0, 0];
    Object.assign(closed, { code: 0, reason: '' });
    h.node.headGate = async () => {
      while (heads === 0) await nextTurn();
    };
    const headers = { authorization: `Bearer ${await h.token('rpc')}` };
    socket = new WebSocket(`wss://localhost:${h.port}/rpc`, { ca: h.certificates.caCertificate, headers });
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => Object.assign(closed, { code, reason: String(reason) }));
    await once(socket, 'open');
  });
  afterEach(async () => {
    socket.terminate();
    heads = 1;
    await h.stop();
    mock.timers.reset();
  });

  const until = async (is: () => boolean): Promise<void> => {
    while (!is()) await nextTurn();
  };
  const subscribe = async (): Promise<void> => {
    const before = messages.length;
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'eth_subscribe', params: ['newHeads'] }));
    // Its answer, and the head that there is.
    await until(() => messages.length === before + 2);
  };
  const askWithoutReading = (): void => {
    socket.pause();
    for (let id = 1; id <= ANSWERS; id++)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'x'.repeat(ANSWER_BYTES) }));
  };
  const connections = async (): Promise<number> => {
    const lines = (await h.metrics.metrics())
      .split('\n')
      .filter((line) => line.startsWith('nectar_gateway_connections{'));
    return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  };

  it('is ended when more than its bound waits, and the node has its connection back', async () => {
    await subscribe();
    await subscribe();
    await subscribe();
    askWithoutReading();
    h.node.headFilling = 'x'.repeat(100 * KIB);
    heads = 1;
    while ((await connections()) > 0) await nextTurn();
    socket.resume();
    await until(() => closed.code !== 0);
    assert.ok([1006, 1013].includes(closed.code), String(closed.code));
    assert.ok(messages.filter(({ id = 0 }) => id > 0).length < ANSWERS);
  });

  it('is ended when it does not answer a ping until the next', async () => {
    askWithoutReading();
    mock.timers.tick(PING_MS);
    await nextTurn();
    assert.equal(await connections(), 1, 'it had no time to answer yet');
    mock.timers.tick(PING_MS);
    while ((await connections()) > 0) await nextTurn();
    socket.resume();
    await until(() => closed.code !== 0);
  });

  it('is left alone when it reads on in time: a long answer that is under way says nothing against it', async () => {
    await subscribe();
    askWithoutReading();
    for (let turns = 0; turns < 200; turns++) await nextTurn();
    heads = 1;
    await nextTurn();
    heads = 0;
    for (let turns = 0; turns < 200; turns++) await nextTurn();
    socket.resume();
    await until(() => closed.code !== 0 || messages.filter(({ id = 0 }) => id > 0).length === ANSWERS);
    assert.deepEqual(closed, { code: 0, reason: '' });
    mock.timers.tick(PING_MS);
    await once(socket, 'ping');
    socket.send('{');
    const seen = messages.length;
    await until(() => messages.length > seen);
    mock.timers.tick(PING_MS);
    await once(socket, 'ping');
    assert.equal(closed.code, 0);
  });
});
