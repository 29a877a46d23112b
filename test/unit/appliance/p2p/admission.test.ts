import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError } from '../../../../protocol/errors.ts';
import { connected, RegistryDouble, startNode, type TestNode, type TestNodeInput, until } from './hosts.ts';

const nodes: TestNode[] = [];
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
});

async function start(input: TestNodeInput): Promise<TestNode> {
  const node = await startNode(input);
  nodes.push(node);
  return node;
}

async function refusals(node: TestNode): Promise<string> {
  return await node.metrics.getSingleMetricAsString('nectar_p2p_refused_total');
}

test('members find each other by the registry and connect', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 1, registry });
  const b = await start({ seed: 2, registry });
  await until(() => connected(a, b), 'the members connected');
  const [peer] = b.p2p.peers().filter(({ peerId }) => peerId === a.peerId);
  assert.match(peer?.address ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\//);
  assert.match(a.p2p.addresses()[0] ?? '', new RegExp(`/p2p/${a.peerId}$`));
  assert.equal(a.p2p.peerId(), a.peerId);
  assert.deepEqual(a.p2p.readiness(), { ready: true });
  assert.match(await a.metrics.getSingleMetricAsString('nectar_p2p_connections'), /direction="(in|out)bound"\} [1-9]/);
});

test('a node that nobody registered is refused by a member that it dials', async () => {
  const registry = new RegistryDouble();
  const member = await start({ seed: 3, registry });
  const deceived = new RegistryDouble();
  const stranger = await start({ seed: 4, registry: deceived });
  deceived.authorized.add(member.peerId);
  deceived.addresses.set(member.peerId, member.p2p.addresses());
  await untilMetric(member, /direction="inbound",reason="not-authorized"\} [1-9]/);
  assert.deepEqual(member.p2p.peers(), []);
  assert.deepEqual(stranger.p2p.peers(), []);
});

test('a member does not stay with an unregistered node under a registered address', async () => {
  const registry = new RegistryDouble();
  const member = await start({ seed: 5, registry });
  const stranger = await start({ seed: 6, registry: new RegistryDouble(), member: false });
  // The registered member behind this address is another one: noise proves another peer id.
  const absent = await start({ seed: 7, registry: new RegistryDouble() });
  registry.authorized.add(absent.peerId);
  registry.addresses.set(
    absent.peerId,
    stranger.p2p.addresses().map((address) => address.replace(stranger.peerId, absent.peerId)),
  );
  await untilMetric(member, /outcome="failed"\} [1-9]/, 'nectar_p2p_dials_total');
  assert.deepEqual(member.p2p.peers(), []);
});

test('a node that is no member does not dial, and does once it is one', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 8, registry });
  const joining = await start({ seed: 9, registry, member: false });
  registry.addresses.delete(joining.peerId);
  await sleep(200);
  assert.equal(joining.p2p.isMember(), false);
  assert.deepEqual(joining.p2p.peers(), []);
  assert.doesNotMatch(await refusals(a), /\} [1-9]/);
  registry.authorized.add(joining.peerId);
  for (const node of [a, joining]) node.head();
  await until(() => connected(a, joining), 'the new member connected');
  assert.equal(joining.p2p.isMember(), true);
});

test('an ejected peer is dropped on the next head and not let in again', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 10, registry });
  const ejected = await start({ seed: 11, registry });
  await until(() => connected(a, ejected), 'both connected');
  registry.authorized.delete(ejected.peerId);
  a.head();
  await a.p2p.recheck();
  await until(() => a.p2p.peers().length === 0, 'the ejected peer gone');
  // Its own state is behind and still calls it a member: it dials on, in vain.
  await sleep(200);
  assert.deepEqual(a.p2p.peers(), []);
  assert.match(await a.metrics.getSingleMetricAsString('nectar_p2p_dropped_total'), / [1-9]/);
});

test('a registry without an answer admits nobody new and drops nobody', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 12, registry });
  const b = await start({ seed: 13, registry });
  await until(() => connected(a, b), 'both connected');
  registry.broken = true;
  await a.p2p.recheck();
  assert.ok(connected(a, b));
  const other = new RegistryDouble();
  const late = await start({ seed: 14, registry: other });
  other.authorized.add(a.peerId);
  other.addresses.set(a.peerId, a.p2p.addresses());
  await untilMetric(a, /direction="inbound",reason="registry-unavailable"\} [1-9]/);
  assert.ok(!connected(a, late));
});

test('a bootstrap peer is admitted without being registered, and no other peer by it', async () => {
  const registry = new RegistryDouble();
  const boot = await start({ seed: 15, registry, member: false });
  const bootstrap = boot.p2p.addresses();
  const a = await start({ seed: 16, registry, options: { bootstrap } });
  await until(() => connected(a, boot), 'connected to the bootstrap peer');
});

test('a peer that restarts is found again', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 17, registry });
  const first = await startNode({ seed: 18, registry });
  await until(() => connected(a, first), 'connected');
  await first.p2p.stop();
  await until(() => a.p2p.peers().length === 0, 'the loss of the peer');
  const second = await start({ seed: 18, registry });
  await until(() => connected(a, second), 'connected again');
});

test('stop is idempotent, and a stopped node says that it is not ready', async () => {
  const node = await startNode({ seed: 19, registry: new RegistryDouble() });
  await node.p2p.stop();
  await node.p2p.stop();
  assert.equal(node.p2p.readiness().ready, false);
  assert.throws(
    () => node.p2p.peers(),
    (error: unknown) => isNectarError(error, 'NODE_NOT_READY'),
  );
});

test('what it registers shows no address of its own network, unless that is where its peers are', async () => {
  const registry = new RegistryDouble();
  const inside = await start({ seed: 22, registry, options: { allowPrivateAddresses: false } });
  assert.deepEqual(inside.p2p.addresses(), []);
  const announce = ['/dns4/clinic.example.org/tcp/4640'];
  const announced = await start({ seed: 23, registry, options: { allowPrivateAddresses: false, announce } });
  assert.deepEqual(announced.p2p.addresses(), [`${announce[0]}/p2p/${announced.peerId}`]);
});

test('a port that is taken is one clear error', async () => {
  const registry = new RegistryDouble();
  const a = await start({ seed: 20, registry });
  const listenPort = Number(/\/tcp\/([0-9]+)/.exec(a.p2p.addresses()[0] ?? '')?.[1]);
  await assert.rejects(startNode({ seed: 21, registry, options: { listenPort } }), (error: unknown) =>
    isNectarError(error, 'NETWORK_LISTEN_REFUSED'),
  );
});

async function untilMetric(node: TestNode, pattern: RegExp, name = 'nectar_p2p_refused_total'): Promise<void> {
  let text = '';
  await until(() => {
    void node.metrics.getSingleMetricAsString(name).then((value) => {
      text = value;
    });
    return pattern.test(text);
  }, `${pattern} in ${name}`);
}
