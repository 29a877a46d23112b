import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { limitInbound, networkOf } from '../../../../appliance/p2p/inbound-limit.ts';

const MAX_PENDING = 64;

interface Handshake {
  /** As a member does. */
  succeed(): void;
  /** As a stranger does, or one that says nothing. */
  fail(): void;
  readonly done: Promise<'in' | 'out'>;
}

/** A listener whose handshakes the test ends. */
function createDoor() {
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const refused: string[] = [];
  const upgrader = {
    upgradeInbound: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
    upgradeOutbound: async () => undefined,
    createInboundAbortSignal: () => undefined,
    getConnectionEncrypters: () => new Map(),
    getStreamMuxers: () => new Map(),
  } as unknown as Upgrader;
  let limited = upgrader;
  const transport = {
    createListener: (options: { upgrader: Upgrader }) => {
      limited = options.upgrader;
    },
  } as unknown as Transport;
  limitInbound(() => transport, { maxPending: MAX_PENDING, onRefused: (crowd) => refused.push(crowd) })(
    undefined,
  ).createListener({ upgrader });
  return {
    refused,
    /** Handshakes that came through. */
    get count() {
      return waiting.length;
    },
    knock(address: string): Handshake {
      const at = waiting.length;
      const connection = { remoteAddr: multiaddr(address) } as unknown as MultiaddrConnection;
      const done = limited.upgradeInbound(connection, { signal: new AbortController().signal }).then(
        () => 'in' as const,
        () => 'out' as const,
      );
      return {
        done,
        succeed: () => waiting[at]?.resolve(),
        fail: () => waiting[at]?.reject(new Error('not admitted')),
      };
    },
  };
}

test('one network holds eight handshakes at once, and gets them back when they end', async () => {
  const door = createDoor();
  const first = Array.from({ length: 8 }, (_, i) => door.knock(`/ip4/198.51.100.7/tcp/${4000 + i}`));
  assert.equal(await door.knock('/ip4/198.51.100.7/tcp/5000').done, 'out');
  assert.deepEqual([door.count, door.refused], [8, ['handshakes-of-network']]);
  door.knock('/ip4/198.51.100.8/tcp/4000');
  assert.equal(door.count, 9, 'another network has its own');
  first[0]?.fail();
  assert.equal(await first[0]?.done, 'out');
  door.knock('/ip4/198.51.100.7/tcp/5001');
  assert.equal(door.count, 10);
});

test('strangers of many networks leave places to those from where members have come', async () => {
  const door = createDoor();
  const member = door.knock('/ip4/203.0.113.5/tcp/4000');
  member.succeed();
  assert.equal(await member.done, 'in');

  const strangers = Array.from({ length: 48 }, (_, i) => door.knock(`/ip4/198.51.${i}.1/tcp/4000`));
  const before = door.count;
  assert.equal(await door.knock('/ip4/192.0.2.200/tcp/4000').done, 'out');
  assert.deepEqual([door.count, door.refused], [before, ['handshakes-of-strangers']]);
  const again = door.knock('/ip4/203.0.113.5/tcp/4001');
  assert.equal(door.count, before + 1, 'the member is let in');
  again.succeed();
  assert.equal(await again.done, 'in');

  for (const stranger of strangers) stranger.fail();
  await Promise.all(strangers.map(({ done }) => done));
  const after = door.count;
  door.knock('/ip4/192.0.2.200/tcp/4000');
  assert.equal(door.count, after + 1, 'each place came back');
});

test('a network that becomes known while it shakes hands is counted off as it was counted on', async () => {
  const door = createDoor();
  for (let round = 0; round < 60; round += 1) {
    const [one, two] = [door.knock('/ip4/203.0.113.5/tcp/1'), door.knock('/ip4/203.0.113.5/tcp/2')];
    one.succeed();
    await one.done;
    two.fail();
    await two.done;
  }
  assert.deepEqual(door.refused, []);
  const strangers = Array.from({ length: 49 }, (_, i) => door.knock(`/ip4/198.51.${i}.1/tcp/4000`));
  assert.equal(await strangers[48]?.done, 'out');
  assert.deepEqual(door.refused, ['handshakes-of-strangers']);
});

test('a private address, behind which everybody may come, has the room of all strangers', () => {
  const door = createDoor();
  for (let i = 0; i < 48; i += 1) door.knock(`/ip4/172.17.0.1/tcp/${4000 + i}`);
  assert.equal(door.count, 48);
  void door.knock('/ip4/172.17.0.1/tcp/5000');
  assert.equal(door.count, 48);
});

test('an IPv6 network is the first half of the address', () => {
  const networks = {
    '/ip4/192.0.2.7/tcp/1': '192.0.2.7',
    '/ip6/2001:db8:1:2:3:4:5:6/tcp/1': '2001:db8:1:2',
    '/ip6/2001:db8:1:2::6/tcp/1': '2001:db8:1:2',
    '/ip6/2001:db8::6/tcp/1': '2001:db8:0:0',
    '/ip6/::1/tcp/1': '0:0:0:0',
    '/ip6/::ffff:192.0.2.7/tcp/1': '192.0.2.7',
  };
  for (const [address, network] of Object.entries(networks)) assert.equal(networkOf(address), network, address);
});
