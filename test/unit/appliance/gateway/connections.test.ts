import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type Harness, startHarness } from './harness.ts';

const LIMIT_MS = 250;
const LISTEN = '0A';
/** The inode of what the kernel finishes alone: no process has it open. */
const ORPHAN = '0';

/** Sockets that this process has open at the listener's side, by /proc: what no code of ours can forget to count. */
async function socketsAt(port: number): Promise<number> {
  const table = await readFile('/proc/self/net/tcp', 'utf8');
  const at = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(at) && state !== LISTEN)
    .filter((columns) => columns[9] !== ORPHAN).length;
}

async function settlesAt(port: number, count: number, what: string): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    if ((await socketsAt(port)) === count) return;
    await sleep(20);
  }
  assert.fail(`${what}: ${await socketsAt(port)} sockets left, not ${count}`);
}

describe('connections that are abused', { skip: process.platform !== 'linux' }, () => {
  let h: Harness;
  let token: string;
  let record: string;
  before(async () => {
    h = await startHarness({
      handshakeTimeoutMs: LIMIT_MS,
      headersTimeoutMs: LIMIT_MS,
      bodyTimeoutMs: LIMIT_MS,
      bodyIdleTimeoutMs: LIMIT_MS,
      keepAliveTimeoutMs: LIMIT_MS,
      responseStallTimeoutMs: LIMIT_MS,
      lingerMs: LIMIT_MS,
    });
    token = await h.token('admin');
    const stored = await h.call('POST', '/v1/records', { token, body: randomBytes(8 * 1024 * 1024) });
    record = String(stored.json().recordId);
  });
  after(() => h.stop());

  const bare = (allowHalfOpen = false) =>
    new Promise<Socket>((resolve) => {
      const socket = connectTcp({ host: '127.0.0.1', port: h.port, allowHalfOpen }, () => resolve(socket));
      socket.on('error', () => undefined);
    });
  /** Asks again when the machine was so busy that the handshake took longer than the node's limit here. */
  const secured = async () => {
    for (let tries = 1; ; tries++) {
      try {
        const socket = await h.dial();
        return socket.on('error', () => undefined);
      } catch (error) {
        if (tries === 20) throw error;
      }
    }
  };
  /** A TLS record that announces a ClientHello of 512 bytes, and its beginning. */
  const hello = Buffer.from('1603010200010001fc0303', 'hex');

  const abuses: readonly [string, () => Promise<Socket>][] = [
    ['silent TCP', () => bare()],
    [
      'half a ClientHello',
      async () => {
        const socket = await bare();
        socket.write(hello);
        return socket;
      },
    ],
    [
      'bytes that are no TLS',
      async () => {
        const socket = await bare();
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        return socket;
      },
    ],
    [
      'an end before TLS, and no close',
      async () => {
        const socket = await bare(true);
        socket.end();
        return socket;
      },
    ],
    ['TLS, then silence', secured],
    [
      'half headers',
      async () => {
        const socket = await secured();
        socket.write('GET /v1/node HTTP/1.1\r\nHost: localhost\r\nAuthoriz');
        return socket;
      },
    ],
    [
      'half a JSON body',
      async () => {
        const socket = await secured();
        const head = `Host: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json`;
        socket.write(`POST /v1/tokens HTTP/1.1\r\n${head}\r\nContent-Length: 100\r\n\r\n{"half`);
        return socket;
      },
    ],
    [
      'half an upload',
      async () => {
        const socket = await secured();
        const head = `Host: localhost\r\nAuthorization: Bearer ${token}`;
        socket.write(`POST /v1/records HTTP/1.1\r\n${head}\r\nContent-Length: 100\r\n\r\nhalf`);
        return socket;
      },
    ],
    [
      'a body that nobody may send',
      async () => {
        const socket = await secured();
        socket.write('POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nhalf');
        return socket;
      },
    ],
    [
      'a reader that takes nothing',
      async () => {
        const socket = await secured();
        socket.pause();
        socket.write(`GET /v1/records/${record} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
        return socket;
      },
    ],
    [
      'a stranger who asks and takes nothing',
      async () => {
        const socket = await secured();
        socket.pause();
        socket.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(200));
        return socket;
      },
    ],
    [
      'a request that is not HTTP, from one who does not read the answer',
      async () => {
        const socket = await secured();
        socket.pause();
        socket.write('NONSENSE\r\n\r\n');
        return socket;
      },
    ],
    [
      'an answered request, then silence',
      async () => {
        const socket = await secured();
        socket.resume();
        socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
        return socket;
      },
    ],
    [
      'a second handshake',
      () =>
        new Promise((resolve) => {
          const at = { host: '127.0.0.1', port: h.port, servername: 'localhost', maxVersion: 'TLSv1.2' } as const;
          const socket = connectTls({ ...at, ca: h.certificates.caCertificate }, () => {
            socket.renegotiate({}, () => undefined);
            resolve(socket);
          });
          socket.on('error', () => resolve(socket));
        }),
    ],
    [
      'a reset in the middle of the handshake',
      async () => {
        const socket = await bare();
        socket.write(hello, () => socket.resetAndDestroy());
        return socket;
      },
    ],
  ];

  for (const [what, abuse] of abuses) {
    it(`are closed by the server, and gone: ${what}`, async () => {
      const sockets = await Promise.all(Array.from({ length: 5 }, abuse));
      // The clients hold on: it is the server that lets go.
      await settlesAt(h.port, 0, `${what}, held`);
      for (const socket of sockets) socket.destroy();
    });

    it(`leave nothing behind when their clients go: ${what}`, async () => {
      const sockets = await Promise.all(Array.from({ length: 5 }, abuse));
      await sleep(LIMIT_MS / 2);
      for (const socket of sockets) socket.destroy();
      await settlesAt(h.port, 0, `${what}, closed`);
      assert.match(await h.metrics.metrics(), /nectar_gateway_connections\{peer="stranger"\} 0\n/);
    });
  }

  it('do not keep a caller with a token out afterwards', async () => {
    assert.equal((await h.call('GET', '/v1/node', { token })).status, 200);
  });
});

describe('a listener full of strangers', () => {
  it('serves those with a token all the while, and keeps their connections', async () => {
    const h = await startHarness({ maxConnections: 16, maxStrangers: 12, handshakeTimeoutMs: 60_000 });
    const strangers: Socket[] = [];
    try {
      const token = await h.token('node:read');
      assert.equal((await h.call('GET', '/v1/node', { token })).status, 200);
      for (let i = 0; i < 60; i++) {
        const socket = connectTcp(h.port, '127.0.0.1').on('error', () => undefined);
        strangers.push(socket);
        if (i % 10 === 0) assert.equal((await h.call('GET', '/v1/node', { token })).status, 200);
      }
      const fresh = await h.dial();
      const answered = new Promise((resolve) => fresh.once('data', resolve));
      fresh.write(`GET /v1/node HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
      assert.match(String(await answered), /^HTTP\/1.1 200 /);
      fresh.destroy();
      assert.match(await h.metrics.metrics(), /nectar_gateway_connections_ended_total\{reason="evicted"\} [1-9]/);
    } finally {
      for (const socket of strangers) socket.destroy();
      await h.stop();
    }
  });
});
