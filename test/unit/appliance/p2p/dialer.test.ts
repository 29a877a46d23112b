import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createAdmission } from '../../../../appliance/p2p/admission.ts';
import { createDialer } from '../../../../appliance/p2p/dialer.ts';
import { createP2pMetrics } from '../../../../appliance/p2p/metrics.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import type { PeerIdText } from '../../../../protocol/brand.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import { RegistryDouble, TEST_OPTIONS } from './hosts.ts';

const signal = new AbortController().signal;
const peerId = (fill: number): PeerIdText => peerIdOf(new Uint8Array(32).fill(fill));

function create(members: number, options: Partial<typeof TEST_OPTIONS> = {}) {
  const registry = new RegistryDouble();
  const self = peerId(200);
  registry.authorized.add(self);
  for (let fill = 1; fill <= members; fill += 1) {
    registry.authorized.add(peerId(fill));
    registry.addresses.set(peerId(fill), [`/ip4/127.0.0.1/tcp/${fill}`]);
  }
  const log = createLogger({ level: 'silent' });
  const metrics = createP2pMetrics(new Registry());
  const state = {
    now: 0,
    connected: new Set<string>(),
    dialled: [] as string[],
    addresses: [] as string[],
    reachable: true,
    /** These keep a dial until its time is over. */
    silent: new Set<string>(),
  };
  const dialer = createDialer(
    { ...TEST_OPTIONS, dialBackoffMinMs: 1_000, dialBackoffMaxMs: 4_000, ...options },
    {
      self,
      bootstrap: [],
      registry,
      admission: createAdmission(new Set(), { registry, log, metrics, now: () => state.now }),
      connected: () => state.connected,
      dial: async ([address], until) => {
        const id = String(address).split('/p2p/')[1] ?? '';
        state.dialled.push(id);
        state.addresses.push(String(address));
        if (!state.reachable) throw new Error('unreachable');
        if (state.silent.has(id))
          await new Promise((_, reject) => until.addEventListener('abort', () => reject(until.reason), { once: true }));
        state.connected.add(id);
      },
      log,
      metrics,
      now: () => state.now,
    },
  );
  return { dialer, registry, state, self };
}

test('no more connections are opened than allowed, and none twice', async () => {
  const { dialer, state } = create(40, { maxOutbound: 6 });
  await dialer.tick(signal);
  await dialer.tick(signal);
  assert.equal(state.dialled.length, 6);
  assert.equal(new Set(state.dialled).size, 6);
});

test('an unreachable peer is dialled after 1, 2, 4 and then every 4 seconds', async () => {
  const { dialer, state } = create(1);
  state.reachable = false;
  const at: number[] = [];
  for (state.now = 0; state.now <= 12_000; state.now += 250) {
    const before = state.dialled.length;
    await dialer.tick(signal);
    if (state.dialled.length > before) at.push(state.now);
  }
  assert.deepEqual(at, [0, 1_000, 3_000, 7_000, 11_000]);
});

test('a peer that was lost is not dialled at once: it may be that it drops us', async () => {
  const { dialer, state } = create(1);
  await dialer.tick(signal);
  state.connected.clear();
  dialer.lost(peerId(1));
  await dialer.tick(signal);
  assert.equal(state.dialled.length, 1);
  state.now = 1_000;
  await dialer.tick(signal);
  assert.equal(state.dialled.length, 2);
});

test('whoever lost its authority is not dialled, nor is anybody by a node without it', async () => {
  const { dialer, registry, state, self } = create(2);
  registry.authorized.delete(peerId(1));
  await dialer.tick(signal);
  assert.deepEqual(state.dialled, [peerId(2)]);
  const outsider = create(2);
  outsider.registry.authorized.delete(self);
  await outsider.dialer.tick(signal);
  assert.deepEqual(outsider.state.dialled, []);
  assert.equal(outsider.dialer.isMember(), false);
});

test('a registry without an answer dials nobody and throws nothing', async () => {
  const { dialer, registry, state } = create(2);
  registry.broken = true;
  await dialer.tick(signal);
  assert.deepEqual(state.dialled, []);
});

test('however many addresses are dead, a living one has its turn: those that failed take no place of those that were not tried', async () => {
  const { dialer, state } = create(190, { maxOutbound: 4, dialBackoffMinMs: 1, dialBackoffMaxMs: 1 });
  state.reachable = false;
  for (let look = 0; look < 3; look += 1) {
    await dialer.tick(signal);
    state.now += 1_000;
  }
  // 64 in each look.
  assert.equal(new Set(state.dialled).size, 190);
});

test('entries of the registry that have not changed are not read again', async () => {
  const { dialer, registry, state } = create(3, { maxOutbound: 1 });
  state.reachable = false;
  const changed = peerId(2);
  await dialer.tick(signal);
  registry.addresses.set(changed, ['/ip4/127.0.0.1/tcp/999']);
  for (let tick = 0; tick < 4; tick += 1) {
    state.now += 10_000;
    await dialer.tick(signal);
  }
  assert.ok(state.addresses.some((address) => address.startsWith('/ip4/127.0.0.1/tcp/999/')));
});

/** Turns of the event loop, in which what is not held up goes on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('addresses that keep a dial for its whole time delay neither a peer that was lost nor an entry that is new', async () => {
  const { dialer, state } = create(190, { maxOutbound: 40, dialTimeoutMs: 3_600_000 });
  const stop = new AbortController();
  const lost = peerId(7);
  for (let fill = 1; fill <= 190; fill += 1) if (peerId(fill) !== lost) state.silent.add(peerId(fill));
  const ticks: Promise<void>[] = [];
  const look = async (): Promise<void> => {
    ticks.push(dialer.tick(stop.signal));
    await turns();
  };
  // Known from before: it was connected, from whichever side.
  dialer.lost(lost);
  await look();
  assert.ok(state.dialled.length >= 16 && !state.dialled.includes(lost));
  state.now += 1_000;
  await look();
  assert.ok(state.connected.has(lost));
  stop.abort(new Error('over'));
  await Promise.all(ticks);

  // All have failed once: what is new comes before them, whatever they do.
  const again = create(60, { maxOutbound: 40, dialTimeoutMs: 3_600_000, dialBackoffMinMs: 1 });
  again.state.reachable = false;
  await again.dialer.tick(signal);
  again.state.reachable = true;
  for (let fill = 1; fill <= 60; fill += 1) again.state.silent.add(peerId(fill));
  const fresh = peerId(199);
  again.state.now += 1_000;
  const end = new AbortController();
  const first = again.dialer.tick(end.signal);
  await turns();
  again.registry.authorized.add(fresh);
  again.registry.addresses.set(fresh, ['/ip4/127.0.0.1/tcp/199']);
  const second = again.dialer.tick(end.signal);
  await turns();
  assert.ok(again.state.connected.has(fresh));
  end.abort(new Error('over'));
  await Promise.all([first, second]);
});

test('a dial that nobody answers ends with its time, and is a failure', async () => {
  const { dialer, state } = create(1, { dialTimeoutMs: 50 });
  state.silent.add(peerId(1));
  // Were it not ended, this would wait for ever.
  await dialer.tick(signal);
  await dialer.tick(signal);
  assert.equal(state.dialled.length, 1);
});

test('a lane makes no more dials in one look than it may, where all are refused at once', async () => {
  const { dialer, state } = create(190, { maxOutbound: 200 });
  state.reachable = false;
  await dialer.tick(signal);
  assert.equal(state.dialled.length, 64);
});
