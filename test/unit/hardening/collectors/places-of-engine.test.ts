import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineApi, EngineNode } from '../../../../hardening/collectors/engine-api.ts';
import { createNetworksCollector } from '../../../../hardening/collectors/networks.ts';
import { createVolumesCollector } from '../../../../hardening/collectors/volumes.ts';
import type { Subject } from '../../../../hardening/fact-set.ts';

const signal = new AbortController().signal;
const node: EngineNode = {
  nodeId: 'f'.repeat(32),
  prefix: 'nectar-ffffffff-',
  roles: ['gateway', 'store'],
  labels: { node: 'n', role: 'r', version: 'v', spec: 's' },
};
const labels = (role: string): Record<string, string> => ({ n: node.nodeId, r: role, v: '1' });

interface Item {
  readonly Id: string;
  readonly Names: string[];
  readonly Labels: Record<string, string>;
  readonly State: string;
  readonly Mounts: object[];
  readonly NetworkSettings: { Networks: Record<string, object> | null };
}

const volumeMount = (Name: string, RW: boolean): object => ({
  Type: 'volume',
  Name: `nectar-ffffffff-${Name}`,
  Source: `/var/lib/docker/volumes/nectar-ffffffff-${Name}/_data`,
  RW,
});
const bindMount = (Source: string): object => ({ Type: 'bind', Source, RW: false });

const own = (role: string, Mounts: object[], networks: string[]): Item => ({
  Id: role === 'store' ? 'aa' : 'bb',
  Names: [`/nectar-ffffffff-${role}`],
  Labels: labels(role),
  State: 'running',
  Mounts,
  NetworkSettings: { Networks: Object.fromEntries(networks.map((name) => [name, {}])) },
});
const foreign = (name: string, Mounts: object[], networks: string[] = []): Item => ({
  ...own('store', Mounts, networks),
  Id: Buffer.from(name).toString('hex'),
  Names: [`/${name}`],
  Labels: {},
});

const OWN = [
  own('store', [volumeMount('keys', true), volumeMount('sock-store', true), volumeMount('config', false)], []),
  own('gateway', [volumeMount('sock-store', false), volumeMount('config', false)], ['nectar-ffffffff-lan']),
];

const volume = (name: string, more: object = {}): object => ({
  Name: `nectar-ffffffff-${name}`,
  Driver: 'local',
  Labels: labels('store'),
  Mountpoint: `/var/lib/docker/volumes/nectar-ffffffff-${name}/_data`,
  Options: {},
  ...more,
});

function engine(containers: readonly Item[], answers: Record<string, unknown>): EngineApi {
  return {
    getJson: async (path) => {
      if (path === '/version') return { Components: [{ Name: 'Engine' }] };
      if (path.includes('label')) return containers.filter(({ Labels }) => Labels.n === node.nodeId);
      if (path.includes('name')) return containers.filter(({ Names }) => Names[0]?.startsWith('/nectar-ffffffff-'));
      return path === '/containers/json?all=true' ? containers : answers[path];
    },
    getStream: async () => undefined,
    exec: () => Promise.reject(new Error('not asked for')),
  };
}

async function volumes(containers: readonly Item[], list: readonly object[]): Promise<readonly Subject[]> {
  return createVolumesCollector({ api: engine(containers, { '/volumes': { Volumes: list } }), node }).collect(signal);
}

test('says of each volume which roles mount it and which may write it', async () => {
  const socket = volume('sock-store', { Options: { type: 'tmpfs', device: 'tmpfs', o: 'uid=1,noexec,nosuid' } });
  const other = { ...volume('x'), Name: 'of-somebody-else', Labels: null };
  const [found, ...rest] = await volumes(OWN, [socket, other]);
  assert.deepEqual(rest, []);
  assert.equal(found?.name, 'nectar-ffffffff-sock-store');
  assert.deepEqual(found.facts, {
    'volume.name': { value: 'sock-store' },
    'volume.driver': { value: 'local' },
    'volume.inMemory': { value: true },
    'volume.options': { value: ['noexec', 'nosuid', 'uid=1'] },
    'volume.mountedIn': { value: ['gateway', 'store'] },
    'volume.writableIn': { value: ['store'] },
    'volume.foreignContainers': { value: [] },
    'volume.labelled': { value: true },
  });
});

test('sees a foreign container on a volume: by its name, by its folder, by a folder above it', async () => {
  const strangers = [
    foreign('by-name', [volumeMount('keys', false)]),
    foreign('by-folder', [bindMount('/var/lib/docker/volumes/nectar-ffffffff-keys/_data/kek')]),
    foreign('from-above', [bindMount('/var/lib')]),
    foreign('everything', [bindMount('/')]),
    foreign('elsewhere', [bindMount('/var/library')]),
  ];
  const [keys] = await volumes([...OWN, ...strangers], [volume('keys')]);
  assert.deepEqual(keys?.facts['volume.foreignContainers'], {
    value: ['by-folder', 'by-name', 'everything', 'from-above'],
  });
  assert.deepEqual(keys.facts['volume.mountedIn'], { value: ['store'] });
});

test('keeps a volume that lost its labels, and fails where there is none at all', async () => {
  const [found] = await volumes(OWN, [volume('keys', { Labels: null })]);
  assert.deepEqual(found?.facts['volume.labelled'], { value: false });
  await assert.rejects(volumes(OWN, []), /no volume/);
});

test('says of each network who is on it, and whether they reach each other', async () => {
  const lan = (more: object): object => ({
    Name: 'nectar-ffffffff-lan',
    Driver: 'bridge',
    Labels: labels('lan'),
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    ...more,
  });
  const look = async (containers: readonly Item[], network: object): Promise<Subject | undefined> => {
    const api = engine(containers, { '/networks': [network, { Name: 'bridge', Driver: 'bridge', Labels: {} }] });
    const [found, ...rest] = await createNetworksCollector({ api, node }).collect(signal);
    assert.deepEqual(rest, []);
    return found;
  };
  const found = await look(OWN, lan({}));
  assert.deepEqual(found?.facts, {
    'network.name': { value: 'lan' },
    'network.driver': { value: 'bridge' },
    'network.betweenContainers': { value: false },
    'network.containers': { value: ['gateway'] },
    'network.foreignContainers': { value: [] },
    'network.labelled': { value: true },
  });
  const weak = await look([...OWN, foreign('spy', [], ['nectar-ffffffff-lan'])], lan({ Options: {}, Labels: {} }));
  assert.deepEqual(weak?.facts['network.betweenContainers'], { value: true });
  assert.deepEqual(weak?.facts['network.foreignContainers'], { value: ['spy'] });
  assert.deepEqual(weak?.facts['network.labelled'], { value: false });
});
