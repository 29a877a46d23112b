import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer as createLocalServer, type Server as LocalServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { createCertificates } from '../../../appliance/gateway/index.ts';
import { isWholePages, PIECE_BYTES, takePiece } from '../../../appliance/page-memory.ts';
import { freeBytes } from '../../../appliance/stream-memory.ts';
import { type BulkRequest, exchangeBulk } from '../../../cli/bulk-exchange.ts';
import { isNectarError } from '../../../protocol/errors.ts';

/** Bytes over real TLS, or a socket of this machine: what is made of them, good and hostile. */
let server: Server;
let folder = '';
let local: LocalServer;
let ca = '';
let url = new URL('https://127.0.0.1/');
let serve: (socket: Socket) => void = () => undefined;

before(async () => {
  const made = await createCertificates({ nodeId: 'ab'.repeat(16), hostName: 'test', names: [], now: Date.now() });
  ca = made.caCertificate;
  server = createServer({ key: made.serverKey, cert: made.serverCertificate }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/records`);
  folder = await mkdtemp(join(tmpdir(), 'nectar-bulk-'));
  local = createLocalServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  local.listen(localSocket());
  await once(local, 'listening');
});
after(async () => {
  server.close();
  local.close();
  await rm(folder, { recursive: true });
});

const localSocket = (): string => join(folder, 'gateway.sock');

interface AskOptions {
  readonly signal?: AbortSignal;
  readonly silenceTimeoutMs?: number;
  readonly localSocket?: string;
}

function ask(request: Partial<BulkRequest> = {}, options: AskOptions = {}) {
  const { signal = new AbortController().signal, silenceTimeoutMs = 60_000, localSocket } = options;
  const target = { ca, localSocket, signal, connectTimeoutMs: 60_000, answerTimeoutMs: 60_000, silenceTimeoutMs };
  return exchangeBulk(target, { method: 'GET', url, headers: {}, ...request });
}

/** Answers once the head of the request is there. */
const answering = (...parts: (string | Uint8Array)[]) => {
  serve = (socket) =>
    socket.once('data', () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
};

const closeOf = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.on('close', () => resolve()));

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    freeBytes(chunk);
  }
  return Buffer.concat(chunks);
}

/** How many pieces the pool still gives out: none may be lost on any way out. */
function pooled(): number {
  const pieces = Array.from({ length: 70 }, () => takePiece());
  const count = pieces.filter((piece) => isWholePages(piece)).length;
  for (const piece of pieces) freeBytes(piece);
  return count;
}

const isInvalid = (error: unknown): boolean => isNectarError(error, 'CLI_GATEWAY_ANSWER_INVALID');

for (const way of ['TLS', 'a local socket'] as const)
  test(`over ${way} a body comes in whole pieces and a rest, however it was cut, and no piece of the pool is lost`, async () => {
    const before = pooled();
    const content = randomBytes(2 * PIECE_BYTES + 777);
    const head = `HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\ncontent-length: ${content.length}\r\n\r\n`;
    answering(head.slice(0, 20), head.slice(20), content.subarray(0, 10), content.subarray(10));
    const answer = await ask({}, way === 'TLS' ? {} : { localSocket: localSocket() });
    assert.deepEqual([answer.statusCode, answer.headers['x-one']], [200, 'a']);
    const sizes: number[] = [];
    const measured = async function* () {
      for await (const piece of answer.body) {
        sizes.push(piece.length);
        yield piece;
      }
    };
    assert.ok(content.equals(await read(measured())));
    assert.deepEqual(sizes, [PIECE_BYTES, PIECE_BYTES, 777]);
    assert.equal(pooled(), before);
  });

test('a reader that is slow is not sent more than a few pieces, and one that leaves ends the connection', async () => {
  const before = pooled();
  const content = randomBytes(64 * PIECE_BYTES);
  let closed: Promise<unknown> | undefined;
  serve = (socket) => {
    closed = closeOf(socket);
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n`);
      socket.write(content);
    });
  };
  const answer = await ask();
  for await (const piece of answer.body) {
    freeBytes(piece);
    // What has come and was not taken lies in the pool: not all of it.
    assert.ok(before - pooled() < 16, `${before - pooled()} pieces`);
    break;
  }
  await closed;
  assert.equal(pooled(), before);
});

test('a request is sent in order, and its answer may come in interim steps', async () => {
  const before = pooled();
  const received: Buffer[] = [];
  const total = 3 * PIECE_BYTES + 5;
  serve = (socket) =>
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (Buffer.concat(received).length < total) return;
      if (Buffer.concat(received).subarray(-total).equals(content))
        socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok');
    });
  const content = randomBytes(total);
  const body = async function* () {
    for (let at = 0; at < total; at += PIECE_BYTES) {
      const piece = takePiece();
      const part = content.subarray(at, at + PIECE_BYTES);
      piece.set(part);
      yield piece.subarray(0, part.length);
    }
  };
  const answer = await ask({ method: 'POST', headers: { 'content-length': String(total) }, body: body() });
  assert.deepEqual([answer.statusCode, String(await read(answer.body))], [201, 'ok']);
  assert.match(
    String(Buffer.concat(received).subarray(0, 60)),
    /^POST \/v1\/records HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/,
  );
  assert.equal(pooled(), before);
});

test('a refusal in the middle of a request is heard at once', async () => {
  const before = pooled();
  serve = (socket) =>
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
    });
  let ended = false;
  const body = async function* () {
    try {
      for (;;) yield takePiece();
    } finally {
      ended = true;
    }
  };
  const answer = await ask({ method: 'POST', headers: { 'content-length': '1000000000000' }, body: body() });
  assert.deepEqual([answer.statusCode, String(await read(answer.body))], [413, 'no']);
  while (!ended) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(pooled(), before);
});

test('what the source of a request throws is thrown, and the connection ends', async () => {
  let closed: Promise<unknown> | undefined;
  serve = (socket) => {
    closed = closeOf(socket);
    socket.resume();
  };
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    throw new Error('the file shrank');
  };
  await assert.rejects(ask({ method: 'POST', headers: { 'content-length': '10' }, body: body() }), /the file shrank/);
  await closed;
});

for (const [what, answer] of [
  ['another protocol', 'SSH-2.0-x\r\n\r\n'],
  ['a malformed header', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
  ['a body of no known length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['headers without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}`],
] as const) {
  test(`refuses ${what}`, async () => {
    answering(answer);
    await assert.rejects(ask(), isInvalid);
  });
}

test('a body that is cut off, or longer than announced, is an error and never an end', async () => {
  answering('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
  await assert.rejects(
    ask().then(({ body }) => read(body)),
    { code: 'ECONNRESET' },
  );
  answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\ntoo much');
  await assert.rejects(
    ask().then(({ body }) => read(body)),
    isInvalid,
  );
});

test('a connection that closes without an answer, a silent one, and a stranger’s certificate are errors', async () => {
  serve = (socket) => socket.once('data', () => socket.destroy());
  await assert.rejects(ask(), { code: 'ECONNRESET' });
  serve = (socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'));
  await assert.rejects(
    ask({}, { silenceTimeoutMs: 100 }).then(({ body }) => read(body)),
    { code: 'ETIMEDOUT' },
  );
  const { caCertificate } = await createCertificates({
    nodeId: 'cd'.repeat(16),
    hostName: 'x',
    names: [],
    now: Date.now(),
  });
  const target = { ca: caCertificate, signal: new AbortController().signal };
  const timeouts = { connectTimeoutMs: 60_000, answerTimeoutMs: 60_000, silenceTimeoutMs: 60_000 };
  await assert.rejects(
    exchangeBulk({ ...target, ...timeouts }, { method: 'GET', url, headers: {} }),
    /certificate|signature/i,
  );
});

test('an abort ends it, before and in the middle', async () => {
  const controller = new AbortController();
  serve = (socket) =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
      controller.abort(new Error('enough'));
    });
  await assert.rejects(
    ask({}, { signal: controller.signal }).then(({ body }) => read(body)),
    /enough/,
  );
  await assert.rejects(ask({}, { signal: controller.signal }), /enough/);
});

test('a header value that would end its line is not sent', async () => {
  await assert.rejects(ask({ headers: { 'content-type': 'a/b\r\nx: y' } }), { code: 'ERR_INVALID_CHAR' });
});

test('where nobody listens at the local socket any more, TLS is the way', async () => {
  answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  const answer = await ask({}, { localSocket: join(folder, 'absent.sock') });
  assert.equal(String(await read(answer.body)), 'ok');
});

test('a local socket that breaks in the middle is not asked again over TLS', async () => {
  let asked = 0;
  serve = (socket) => {
    asked += 1;
    socket.once('data', () => socket.destroy());
  };
  await assert.rejects(ask({}, { localSocket: localSocket() }), { code: 'ECONNRESET' });
  assert.equal(asked, 1);
});
