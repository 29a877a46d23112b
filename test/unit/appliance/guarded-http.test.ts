import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuardedHttp } from '../../../appliance/guarded-http.ts';

const TIMEOUT_MS = 200;
const connections = (server: Server) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

describe('createGuardedHttp', () => {
  it('answers while silent peers hold every connection, and frees each of theirs', async () => {
    const options = { maxConnections: 8, maxHeaderBytes: 4_096, timeoutMs: TIMEOUT_MS };
    const large = 'x'.repeat(16 * 1024 * 1024);
    const server = createGuardedHttp(options, (request, response) =>
      response.end(request.url === '/' ? 'here' : large),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const held: Socket[] = [];
    const hold = (text: string) => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.pause();
      if (text !== '') socket.write(text);
      held.push(socket);
    };
    try {
      for (let i = 0; i < 20; i++) {
        hold(['', 'GET / HT', 'GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n'][i % 3] ?? '');
        if (i % 4 === 0) assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here');
      }
      for (let turn = 0; turn < 200 && (await connections(server)) > 0; turn++) await sleep(20);
      assert.equal(await connections(server), 0);
    } finally {
      for (const socket of held) socket.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});
