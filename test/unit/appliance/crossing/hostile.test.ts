import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createConnection as connectSocket, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createConnection } from '../../../../appliance/crossing/connection.ts';
import { encodeFrame, type FrameType } from '../../../../appliance/crossing/frames.ts';
import { acceptUpgrade, requestUpgrade } from '../../../../appliance/crossing/handshake.ts';
import { download, feed, unary, upload } from '../../../../appliance/crossing/method.ts';
import { downloadRoute, feedRoute, unaryRoute, uploadRoute } from '../../../../appliance/crossing/route.ts';
import { createCrossingServer } from '../../../../appliance/crossing/server.ts';
import { count, exact, nothing, text } from '../../../../appliance/crossing/shape.ts';
import { socketDialer } from '../../../../appliance/crossing/socket-dialer.ts';
import { CROSSING_VERSION } from '../../../../appliance/crossing/version.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../../../protocol/errors.ts';

const log = createLogger({ level: 'silent' });
const MIB = 1024 * 1024;
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));
const echo = unary({
  name: 'echo',
  input: exact({ text: text(100) }),
  output: exact({ text: text(100) }),
  maxOutputBytes: 1024,
  timeoutMs: 500,
});
const fetch = download({ name: 'fetch', input: nothing, head: nothing });
const store = upload({
  name: 'store',
  input: nothing,
  output: exact({ bytes: count }),
});
const watch = feed({
  name: 'watch',
  input: nothing,
  item: count,
  output: nothing,
});

async function temporaryPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-hostile-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 's.sock');
}

/** A connection to a server of the test's own making, which answers each call with the next of these bytes. */
async function against(t: TestContext, answers: readonly Uint8Array[], { thenEnd = false } = {}) {
  const path = await temporaryPath(t);
  const server = createServer();
  const sockets: Socket[] = [];
  let next = 0;
  server.on('upgrade', (_, stream) => {
    const socket = stream as Socket;
    sockets.push(socket.on('error', () => undefined));
    acceptUpgrade(socket, CROSSING_VERSION);
    socket.on('data', () => {
      const answer = answers[next++];
      if (answer !== undefined) socket.write(answer);
      if (thenEnd) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = createConnection({ service: 'store', dialer: socketDialer(path) });
  t.after(async () => {
    await connection.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { connection, sockets };
}

/** A connection to a crossing that counts what connects to it. */
async function counting(t: TestContext, target: string) {
  const path = await temporaryPath(t);
  let count = 0;
  const server = createSocketServer((socket) => {
    count += 1;
    const onward = connectSocket(target);
    socket.on('error', () => onward.destroy()).pipe(onward);
    onward.on('error', () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = createConnection({ service: 'store', dialer: socketDialer(path) });
  t.after(async () => {
    await connection.close();
    server.close();
  });
  return { connection, count: () => count };
}

const frame = (type: FrameType, payload: string): Buffer => encodeFrame(type, Buffer.from(payload, 'latin1'));

async function serving(t: TestContext, routes: Parameters<typeof createCrossingServer>[1]['routes'], version?: number) {
  const path = await temporaryPath(t);
  const server = createCrossingServer(
    { name: 'store', path, ...(version !== undefined && { version }) },
    { routes, log },
  );
  await server.start(new AbortController().signal);
  const connection = createConnection({ service: 'store', dialer: socketDialer(path) });
  t.after(async () => {
    await connection.close();
    await server.stop();
  });
  return { path, server, connection };
}

test('an answer of the wrong size or shape is refused, and none of it is believed', async (t) => {
  const payloads = ['{"text":1}', '{"text":"x","more":1}', 'not json', `"${'x'.repeat(5000)}"`, '{"text":"\xff"}'];
  const bad = [
    ...payloads.map((payload) => frame('result', payload)),
    frame('item', '{"text":"x"}'),
    frame('data', 'x'),
  ];
  const { connection } = await against(t, bad);
  for (const _ of bad) await assert.rejects(connection.unary(echo, { text: 'a' }), hasCode('NODE_MESSAGE_INVALID'));
});

test('errors are those of the registry or none: unknown codes and false data are not rebuilt', async (t) => {
  const answers = [
    '{"code":"NO_SUCH_CODE","data":{}}',
    '{"code":"toString","data":{}}',
    '{"code":"CONFIG_FILE_INVALID","data":{"path":"x"}}',
    '{"code":"KEY_LOCKED"}',
    '[]',
  ];
  const { connection } = await against(
    t,
    answers.map((answer) => frame('error', answer)),
  );
  for (const answer of answers)
    await assert.rejects(connection.unary(echo, { text: 'a' }), hasCode('NODE_MESSAGE_INVALID'), answer);
});

test('a download that ends without its end, in the middle of a frame or with rubbish throws', async (t) => {
  const head = encodeFrame('item', Buffer.from('null'));
  const bodies: [Buffer, ErrorCode][] = [
    [Buffer.concat([head, encodeFrame('data', Buffer.alloc(10))]), 'NODE_CONNECTION_LOST'],
    [Buffer.concat([head, encodeFrame('data', Buffer.alloc(10)).subarray(0, 8)]), 'NODE_CONNECTION_LOST'],
    [Buffer.concat([head, Buffer.from([7, 7, 7, 7, 7, 7])]), 'NODE_MESSAGE_INVALID'],
    [encodeFrame('data', Buffer.alloc(10)), 'NODE_MESSAGE_INVALID'],
    [Buffer.alloc(0), 'NODE_CONNECTION_LOST'],
  ];
  const answers = bodies.map(([body]) => body);
  const { connection } = await against(t, answers, { thenEnd: true });
  for (const [, code] of bodies) {
    await assert.rejects(async () => {
      const { body } = await connection.download(fetch, null);
      for await (const piece of body) assert.ok(piece.length <= 10);
    }, hasCode(code));
  }
});

test('what comes after an answer is part of no other: its connection is given up', async (t) => {
  const answer = (text: string): Buffer => frame('result', JSON.stringify({ text }));
  const { connection, sockets } = await against(t, [
    Buffer.concat([answer('first'), answer('false')]),
    answer('second'),
  ]);
  assert.deepEqual(await connection.unary(echo, { text: 'a' }), { text: 'first' });
  assert.deepEqual(await connection.unary(echo, { text: 'b' }), { text: 'second' });
  assert.equal(sockets.length, 2);
});

test('an answer without head, or with an endless one, ends the call', async (t) => {
  const path = await temporaryPath(t);
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const timer = setInterval(() => socket.write('x'.repeat(4096)), 1);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const connection = createConnection({ service: 'store', dialer: socketDialer(path) });
  await assert.rejects(connection.download(fetch, null), hasCode('NODE_MESSAGE_INVALID'));
});

test('a silent role is given up on, after the time of the call', async (t) => {
  const { connection } = await against(t, []);
  await assert.rejects(connection.unary(echo, { text: 'a' }), hasCode('NODE_NOT_READY'));
});

test('nobody there is not ready, at once, and again when somebody is', async (t) => {
  const path = await temporaryPath(t);
  const connection = createConnection({ service: 'store', dialer: socketDialer(path) });
  t.after(() => connection.close());
  await assert.rejects(connection.unary(echo, { text: 'a' }), hasCode('NODE_NOT_READY'));
  await assert.rejects(connection.download(fetch, null), hasCode('NODE_NOT_READY'));
});

test('the server refuses a message by size, shape, method and version, before any handler', async (t) => {
  let calls = 0;
  const route = unaryRoute(echo, (input) => {
    calls += 1;
    return input;
  });
  const { connection, path } = await serving(t, [route]);
  assert.deepEqual(await connection.unary(echo, { text: 'ä' }), { text: 'ä' });
  await assert.rejects(connection.unary(echo, { text: 'x'.repeat(101) }), hasCode('NODE_MESSAGE_INVALID'));
  await assert.rejects(connection.unary(echo, { text: 'x'.repeat(300_000) }), hasCode('NODE_MESSAGE_INVALID'));
  await assert.rejects(connection.unary({ ...echo, name: 'other' }, { text: 'x' }), hasCode('GATEWAY_ROUTE_ABSENT'));
  const newer = createConnection({ service: 'store', dialer: socketDialer(path), version: CROSSING_VERSION + 1 });
  t.after(() => newer.close());
  await assert.rejects(newer.unary(echo, { text: 'a' }), (error) => {
    assert.ok(isNectarError(error, 'NODE_VERSION_SKEW'));
    return true;
  });
  await assert.rejects(newer.download(fetch, null), hasCode('NODE_VERSION_SKEW'));
  assert.equal(calls, 1);
});

test('an error keeps its code and data across; a bug shows a reference and nothing else', async (t) => {
  const failures = [new NectarError('NODE_DISK_FULL', { path: '/x' }), new Error('secret inside')];
  const { connection } = await serving(t, [unaryRoute(echo, () => Promise.reject(failures.shift()))]);
  await assert.rejects(connection.unary(echo, { text: 'a' }), (error) => {
    assert.ok(isNectarError(error, 'NODE_DISK_FULL'));
    assert.deepEqual([error.data, error.message.includes('/x')], [{ path: '/x' }, true]);
    return true;
  });
  await assert.rejects(connection.unary(echo, { text: 'a' }), (error) => {
    assert.ok(isNectarError(error, 'NODE_INTERNAL'));
    assert.equal(JSON.stringify([error.message, error.data]).includes('secret'), false);
    return true;
  });
});

test('a failure in the middle of a stream is the same failure on the other side', async (t) => {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(3 * MIB);
    throw new NectarError('KEY_LOCKED', {});
  };
  const { connection } = await serving(t, [downloadRoute(fetch, async () => ({ head: null, body: body() }))]);
  let read = 0;
  await assert.rejects(async () => {
    for await (const piece of (await connection.download(fetch, null)).body) read += piece.length;
  }, hasCode('KEY_LOCKED'));
  assert.equal(read, 3 * MIB);
});

test('back-pressure holds both ways', async (t) => {
  let [sent, taken] = [0, 0];
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (; sent < 64; sent++) yield Buffer.alloc(MIB - 56);
  };
  const go = Promise.withResolvers<void>();
  const { connection } = await serving(t, [
    downloadRoute(fetch, async () => ({ head: null, body: body() })),
    uploadRoute(store, async (_, uploaded) => {
      await go.promise;
      let bytes = 0;
      for await (const piece of uploaded) bytes += piece.length;
      return { bytes };
    }),
  ]);
  const { body: slow } = await connection.download(fetch, null);
  await slow.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(sent < 16, `${sent} MiB were sent to a reader that took one`);
  await slow.return();
  const given = async function* (): AsyncGenerator<Uint8Array> {
    for (; taken < 64; taken++) yield Buffer.alloc(MIB);
  };
  const stored = connection.upload(store, null, given());
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(taken < 16, `${taken} MiB were taken for a server that read none`);
  go.resolve();
  assert.deepEqual(await stored, { bytes: 64 * MIB });
});

test('an answer before the end of an upload ends it, and is the answer', async (t) => {
  const { connection } = await serving(t, [
    uploadRoute(store, async () => {
      throw new NectarError('KEY_LOCKED', {});
    }),
  ]);
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(MIB);
  };
  for (let i = 0; i < 20; i++) await assert.rejects(connection.upload(store, null, endless()), hasCode('KEY_LOCKED'));
});

test('who leaves aborts the other side, and is told its own reason', async (t) => {
  const gone = Promise.withResolvers<void>();
  const { connection } = await serving(t, [
    feedRoute(watch, async (_, send, signal) => {
      signal.addEventListener('abort', () => gone.resolve());
      await send(1);
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return null;
    }),
  ]);
  const abort = new AbortController();
  const reason = new Error('enough');
  await assert.rejects(
    connection.feed(watch, null, () => abort.abort(reason), abort.signal),
    (error) => error === reason,
  );
  await gone.promise;
});

test('calls follow one another on one connection; one that was left, or failed, takes its own with it', async (t) => {
  const blob = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 8; i++) yield Buffer.alloc(MIB);
  };
  let opened = 0;
  const { path } = await serving(t, [
    unaryRoute(echo, ({ text: given }) => {
      if (given === 'locked') throw new NectarError('KEY_LOCKED', {});
      return { text: `${given} ${opened}` };
    }),
    downloadRoute(fetch, async () => ({ head: null, body: blob() })),
    uploadRoute(store, async (_, body) => {
      let bytes = 0;
      for await (const piece of body) bytes += piece.length;
      return { bytes };
    }),
  ]);
  const { connection, count: counted } = await counting(t, path);
  for (let i = 0; i < 5; i++) {
    await connection.unary(echo, { text: 'a' });
    assert.deepEqual(await connection.upload(store, null, blob()), { bytes: 8 * MIB });
    for await (const piece of (await connection.download(fetch, null)).body) opened += piece.length;
  }
  assert.equal(counted(), 1);
  await assert.rejects(connection.unary(echo, { text: 'locked' }), hasCode('KEY_LOCKED'));
  const { body } = await connection.download(fetch, null);
  await body.next();
  await body.return();
  assert.deepEqual(await connection.unary(echo, { text: 'b' }), { text: `b ${opened}` });
  assert.equal(counted(), 3);
});

test('the server ends a connection whose frames are out of turn, and calls nobody for them', async (t) => {
  let calls = 0;
  const route = unaryRoute(echo, (input) => {
    calls += 1;
    return input;
  });
  const { path } = await serving(t, [route]);
  const call = frame('call', 'echo');
  const bad = [
    frame('item', '{"text":"a"}'),
    frame('data', 'x'),
    frame('call', 'x'.repeat(65)),
    Buffer.concat([call, call]),
    Buffer.concat([call, frame('data', 'x')]),
    Buffer.concat([call, frame('result', 'null')]),
  ];
  for (const bytes of bad) {
    const socket = connectSocket(path);
    socket.write(requestUpgrade('/', CROSSING_VERSION));
    socket.once('data', () => socket.write(bytes));
    await new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => undefined));
  }
  assert.equal(calls, 0);
});

test('a new process behind the same socket is found without a failed call', async (t) => {
  const { path, server, connection } = await serving(t, [unaryRoute(echo, (input) => input)]);
  assert.deepEqual(await connection.unary(echo, { text: 'a' }), { text: 'a' });
  await server.stop();
  const next = createCrossingServer({ name: 'store', path }, { routes: [unaryRoute(echo, (input) => input)], log });
  await next.start(new AbortController().signal);
  t.after(() => next.stop());
  assert.deepEqual(await connection.unary(echo, { text: 'b' }), { text: 'b' });
});

test('a stale socket is replaced, a live one is not, and a path too long is told', async (t) => {
  const path = await temporaryPath(t);
  await writeFile(path, '');
  const first = createCrossingServer({ name: 'store', path }, { routes: [], log });
  const none = new AbortController().signal;
  await first.start(none);
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  await assert.rejects(
    createCrossingServer({ name: 'store', path }, { routes: [], log }).start(none),
    hasCode('NODE_HOME_IN_USE'),
  );
  await first.stop();
  const long = join(tmpdir(), 'x'.repeat(120), 's.sock');
  const refused = createCrossingServer({ name: 'store', path: long }, { routes: [], log }).start(none);
  await assert.rejects(refused, hasCode('NODE_SOCKET_UNUSABLE'));
});

test('what is not HTTP is cut off', async (t) => {
  const { path } = await serving(t, []);
  const socket = connectSocket(path);
  socket.write('\x01\x02\x03\r\n\r\n');
  await new Promise<void>((resolve) => socket.on('close', () => resolve()).resume());
});
