import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type ConnectionEnd, type ConnectionLimits, guardConnections } from '../../../appliance/connection-guard.ts';
import { createTrust, networkOf } from '../../../appliance/peer-network.ts';

class SocketDouble extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress = '10.0.0.1';
  readonly localPort = 8443;
  destroyed = false;
  constructor(address: string, port: number) {
    super();
    this.remoteAddress = address;
    this.remotePort = port;
  }
  destroy(): this {
    if (!this.destroyed) queueMicrotask(() => this.emit('close'));
    this.destroyed = true;
    return this;
  }
}

const LIMITS: ConnectionLimits = {
  maxConnections: 10,
  maxStrangers: 6,
  maxStrangersPerNetwork: 4,
  strangersPerSecond: 1,
  strangersAtOnce: 20,
  handshakeMs: 1_000,
  firstRequestMs: 2_000,
  trusted: ['192.0.2.0/24'],
};

function setup(limits: Partial<ConnectionLimits> = {}) {
  const server = new EventEmitter();
  const world = { now: 0 };
  const ended: ConnectionEnd[] = [];
  const guard = guardConnections(
    server as unknown as Server,
    { ...LIMITS, ...limits },
    {
      now: () => world.now,
      onEnded: (why) => ended.push(why),
    },
  );
  let port = 1024;
  const open = (address: string): SocketDouble => {
    const socket = new SocketDouble(address, port++);
    server.emit('connection', socket);
    return socket;
  };
  const login = (socket: SocketDouble) => {
    const done = guard.begin(socket as unknown as Socket);
    guard.identified(socket as unknown as Socket);
    return done;
  };
  return { server, guard, open, login, ended, world, sweep: () => (guard as unknown as { sweep(): void }).sweep() };
}

describe('guardConnections', () => {
  it('closes the oldest stranger of a network for a new one of the same, and leaves other networks alone', () => {
    const { open, ended } = setup();
    const others = [open('198.51.100.1'), open('198.51.100.2')];
    const crowd = Array.from({ length: 6 }, () => open('203.0.113.5'));
    assert.deepEqual(
      crowd.map(({ destroyed }) => destroyed),
      [true, true, false, false, false, false],
    );
    assert.ok(others.every(({ destroyed }) => !destroyed));
    assert.deepEqual(ended, ['crowded', 'crowded']);
  });

  it('keeps room for callers: strangers never take it, and the most crowded network makes room first', () => {
    const { open, login, guard } = setup();
    const known = Array.from({ length: 6 }, () => {
      const socket = open('198.51.100.9');
      login(socket);
      return socket;
    });
    const lone = open('198.51.100.1');
    for (let i = 0; i < 15; i++) open('203.0.113.5');
    assert.ok(known.every(({ destroyed }) => !destroyed));
    assert.equal(lone.destroyed, false);
    assert.deepEqual(guard.counts(), { strangers: 4, known: 6 });
  });

  it('closes the caller idle for longest when all are callers, and refuses when all are served', () => {
    const { open, login, world, ended } = setup({ strangersAtOnce: 100 });
    const sockets: SocketDouble[] = [];
    const ends = Array.from({ length: 10 }, () => {
      const socket = open('192.0.2.7');
      sockets.push(socket);
      return login(socket);
    });
    const refused = open('192.0.2.8');
    assert.equal(refused.destroyed, true);
    world.now = 5;
    ends[3]?.();
    world.now = 6;
    ends[2]?.();
    const admitted = open('192.0.2.8');
    assert.deepEqual([sockets[3]?.destroyed, sockets[2]?.destroyed, admitted.destroyed], [true, false, false]);
    assert.deepEqual(ended, ['full', 'evicted']);
  });

  it('bounds how fast one network connects, does not count those with a token, and lets trusted networks be', () => {
    const { open, login, world } = setup({ maxConnections: 1_000, maxStrangers: 500, maxStrangersPerNetwork: 500 });
    const burst = Array.from({ length: 25 }, () => open('203.0.113.5'));
    assert.equal(burst.filter(({ destroyed }) => destroyed).length, 5);
    assert.equal(open('203.0.113.6').destroyed, false);
    world.now = 2_000;
    assert.deepEqual(
      [1, 2, 3].map(() => open('203.0.113.5').destroyed),
      [false, false, true],
    );
    for (let i = 0; i < 200; i++) {
      const socket = open('203.0.113.7');
      login(socket)();
      assert.equal(socket.destroyed, false);
    }
    for (let i = 0; i < 200; i++) assert.equal(open(i % 2 === 0 ? '192.0.2.7' : '127.0.0.1').destroyed, false);
  });

  it('ends what stays silent before TLS or before its first request, and nothing that was served', () => {
    const { open, server, guard, world, sweep, login } = setup();
    const [bare, secured, served, caller] = [open('1.1.1.1'), open('1.1.1.2'), open('1.1.1.3'), open('1.1.1.4')];
    server.emit('secureConnection', secured);
    server.emit('secureConnection', served);
    guard.begin(served as unknown as Socket)();
    login(caller)();
    const at = (now: number) => {
      world.now = now;
      sweep();
      return [bare, secured, served, caller].map(({ destroyed }) => destroyed);
    };
    assert.deepEqual(at(999), [false, false, false, false]);
    assert.deepEqual(at(1_000), [true, false, false, false]);
    assert.deepEqual(at(100_000), [true, true, false, false]);
  });

  it('counts a connection out once, however it ends', async () => {
    const { open, login, guard } = setup();
    for (let round = 0; round < 3; round++) {
      const sockets = Array.from({ length: 4 }, () => open('192.0.2.1'));
      login(sockets[0] as SocketDouble)();
      for (const socket of sockets) socket.destroy().destroy();
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(guard.counts(), { strangers: 0, known: 0 });
    }
  });
});

describe('networks', () => {
  it('are an IPv4 address, mapped or not, and a /64 of IPv6', () => {
    assert.equal(networkOf('203.0.113.5'), '203.0.113.5');
    assert.equal(networkOf('::ffff:203.0.113.5'), '203.0.113.5');
    assert.equal(networkOf('2001:db8::1'), networkOf('2001:0DB8:0:0:ffff:1:2:3'));
    assert.notEqual(networkOf('2001:db8::1'), networkOf('2001:db8:0:1::1'));
    assert.equal(networkOf('::1'), '0:0:0:0::/64');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  });

  it('are trusted when they are loopback or named', () => {
    const isTrusted = createTrust(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1', 'nonsense', '1.2.3.4/99']);
    for (const address of ['127.0.0.1', '127.8.0.1', '::1', '10.9.8.7', '::ffff:10.1.1.1', '2001:db8::5', '192.0.2.1'])
      assert.equal(isTrusted(address), true, address);
    for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.2', '1.2.3.4', ''])
      assert.equal(isTrusted(address), false);
  });
});
