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
  };
  const dialer = createDialer(
    { ...TEST_OPTIONS, dialBackoffMinMs: 1_000, dialBackoffMaxMs: 4_000, ...options },
    {
      self,
      bootstrap: [],
      registry,
      admission: createAdmission(new Set(), { registry, log, metrics, now: () => state.now }),
      connected: () => state.connected,
      dial: async ([address]) => {
        const id = String(address).split('/p2p/')[1] ?? '';
        state.dialled.push(id);
        state.addresses.push(String(address));
        if (!state.reachable) throw new Error('unreachable');
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

test('however many addresses are dead, a living one has its turn before any of them is dialled a second time', async () => {
  const { dialer, state } = create(190, { maxOutbound: 4, dialBackoffMinMs: 1, dialBackoffMaxMs: 1 });
  state.reachable = false;
  for (let tick = 0; state.dialled.length < 190; tick += 1) {
    assert.ok(tick < 100, 'all are dialled in turn');
    await dialer.tick(signal);
    state.now += 1_000;
  }
  assert.equal(new Set(state.dialled.slice(0, 190)).size, 190);
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
