import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { createDriver } from '../../../../../appliance/rollup/derive/driver.ts';
import type { L1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import { createJsonRpc } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { watchSilence } from '../../../../../appliance/rollup/l1/silence.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';

/** Accepts connections and answers with what `answer` gives; undefined: never. */
async function listen(
  answer: () => string | undefined,
): Promise<{ url: string; server: Server; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.on('data', () => {
      const body = answer();
      if (body === undefined) return void server.emit('asked');
      const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      socket.end(`${head}${body}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close };
}

function follow(url: string, clock: { now: number }) {
  const options = { urls: [url], timeoutMs: 60_000, maxResponseBytes: 4_096 };
  const { rpc, silence } = watchSilence(createJsonRpc(options), () => clock.now);
  const ask = async (signal: AbortSignal): Promise<void> => void (await rpc.call('eth_chainId', [], signal));
  const steps: L1Steps = {
    verify: ask,
    async advance(_, signal) {
      await ask(signal);
      return true;
    },
    reset: () => Promise.reject(new Error('not asked for')),
  };
  const log = createLogger({ level: 'silent' });
  const deps = { steps, log, now: () => clock.now, silence };
  return { driver: createDriver({ pollMs: 1, maxBackoffMs: 4, staleMs: 12_000 }, deps), rpc, silence };
}

test('an L1 that accepts connections and never answers is a reason within 15 s of the start', async () => {
  const l1 = await listen(() => undefined);
  const clock = { now: 1_000 };
  const stop = new AbortController();
  try {
    const { driver } = follow(l1.url, clock);
    const asked = once(l1.server, 'asked');
    const running = driver.run(stop.signal);
    await asked;
    clock.now += 4_000;
    assert.deepEqual(driver.readiness(), { ready: false, reason: 'deriving the chain from L1' });
    clock.now += 11_000;
    const reason = 'deriving the chain from L1: L1 has not answered for 15 s';
    assert.deepEqual(driver.readiness(), { ready: false, reason });
    stop.abort();
    await running;
  } finally {
    stop.abort();
    await l1.close();
  }
});

test('an L1 that begins to hang under a node that is ready is a reason within 15 s, until it answers again', async () => {
  let hangs = false;
  const l1 = await listen(() => (hangs ? undefined : '{"jsonrpc":"2.0","id":1,"result":"0x1"}'));
  const clock = { now: 1_000 };
  const stop = new AbortController();
  try {
    const { driver, rpc, silence } = follow(l1.url, clock);
    const running = driver.run(stop.signal);
    while (!driver.readiness().ready) await driver.look(1_000);
    const asked = once(l1.server, 'asked');
    hangs = true;
    await asked;
    clock.now += 12_000;
    assert.deepEqual(driver.readiness(), { ready: true });
    clock.now += 3_000;
    assert.deepEqual(driver.readiness(), { ready: false, reason: 'L1 has not answered for 15 s' });
    hangs = false;
    await rpc.call('eth_chainId', [], stop.signal);
    assert.equal(silence.ms(), 0);
    assert.deepEqual(driver.readiness(), { ready: true });
    stop.abort();
    await running;
  } finally {
    stop.abort();
    await l1.close();
  }
});

test('a refusal is an answer, and who gives up asking has learned nothing', async () => {
  const refusing = await listen(() => '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}');
  const silent = await listen(() => undefined);
  const clock = { now: 0 };
  try {
    const refused = follow(refusing.url, clock);
    await assert.rejects(refused.rpc.call('eth_chainId', [], new AbortController().signal));
    clock.now += 60_000;
    assert.equal(refused.silence.ms(), 0);

    const given = new AbortController();
    const asked = once(silent.server, 'asked');
    const left = follow(silent.url, clock);
    const call = left.rpc.call('eth_chainId', [], given.signal);
    await asked;
    given.abort();
    await assert.rejects(call);
    clock.now += 60_000;
    assert.equal(left.silence.ms(), 0);
  } finally {
    await refusing.close();
    await silent.close();
  }
});
