import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineApi, EngineNode } from '../../../../hardening/collectors/engine-api.ts';
import { createGuestsCollector } from '../../../../hardening/collectors/guests.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';

const node: EngineNode = {
  nodeId: 'ffffffff',
  prefix: 'nectar-ffffffff-',
  roles: ['store'],
  labels: { node: 'n', role: 'r', version: 'v', spec: 's' },
};
const STORE = 'aa'.repeat(32);
const GUEST = 'bb'.repeat(32);

interface Guest {
  readonly HostConfig?: object;
  readonly Mounts?: readonly object[];
}

function engine(guest: Guest, volumes: readonly object[] = []): EngineApi {
  const own = { Id: STORE, Names: ['/nectar-ffffffff-store'], Labels: { n: 'ffffffff', r: 'store' }, State: 'running' };
  const other = { Id: GUEST, Names: ['/agent'], Labels: {}, State: 'exited' };
  return {
    getJson: async (path) => {
      if (path === '/containers/json?all=true') return [own, other];
      if (path.startsWith('/containers/json')) return [own];
      if (path === '/volumes') return { Volumes: volumes };
      return { Name: '/agent', HostConfig: {}, Mounts: [], ...guest };
    },
    getStream: async () => undefined,
    exec: async () => ({ stdout: '', exitCode: 0 }),
  };
}

async function seen(
  guest: Guest,
  {
    volumes = [] as readonly object[],
    home = '/srv/node',
    keyFiles = ['/srv/keys/clinic.key'] as readonly (string | undefined)[],
  } = {},
): Promise<Record<string, Observation>> {
  const collector = createGuestsCollector({ api: engine(guest, volumes), node, home, keyFiles });
  const subjects = await collector.collect(new AbortController().signal);
  assert.deepEqual(
    subjects.map(({ kind, name }) => `${kind} ${name}`),
    ['container nectar-ffffffff-store', 'node node', 'engine engine'],
  );
  return Object.assign({}, ...subjects.map(({ facts }) => facts)) as Record<string, Observation>;
}

const bind = (Source: string): Guest => ({ Mounts: [{ Type: 'bind', Source, Destination: '/mnt', RW: false }] });
const FACTS = [
  ...['container.namespaceGuests', 'node.homeGuests', 'node.keyFileGuests', 'engine.socketGuests'],
  'engine.rulingGuests',
];

const CASES: readonly [name: string, guest: Guest, found: Readonly<Record<string, string>>][] = [
  ['has nothing of the node', bind('/srv/other'), {}],
  ['has a folder whose name begins like the home', bind('/srv/node-exporter'), {}],
  ['binds the home', bind('/srv/node'), { 'node.homeGuests': 'agent' }],
  ['binds a folder in the home', bind('/srv/node/hardening/'), { 'node.homeGuests': 'agent' }],
  ['binds a folder above both', bind('/srv'), { 'node.homeGuests': 'agent', 'node.keyFileGuests': 'agent' }],
  ['binds the key file', bind('/srv/keys/clinic.key'), { 'node.keyFileGuests': 'agent' }],
  ["binds the key file's folder", bind('/srv/keys'), { 'node.keyFileGuests': 'agent' }],
  ["binds the engine's socket", bind('/var/run/docker.sock'), { 'engine.socketGuests': 'agent' }],
  [
    'binds the whole machine',
    bind('/'),
    { 'node.homeGuests': 'agent', 'node.keyFileGuests': 'agent', 'engine.socketGuests': 'agent' },
  ],
  ['is privileged', { HostConfig: { Privileged: true } }, { 'engine.rulingGuests': 'agent' }],
  ['may trace processes', { HostConfig: { CapAdd: ['CAP_SYS_PTRACE'] } }, { 'engine.rulingGuests': 'agent' }],
  [
    'joins namespaces of a role by its id',
    { HostConfig: { PidMode: `container:${STORE}`, NetworkMode: `container:${STORE}` } },
    { 'container.namespaceGuests': 'agent (process, network)' },
  ],
  [
    'joins one by the name',
    { HostConfig: { IpcMode: 'container:nectar-ffffffff-store' } },
    { 'container.namespaceGuests': 'agent (IPC)' },
  ],
  ['joins a namespace of another', { HostConfig: { PidMode: `container:${GUEST}` } }, {}],
];
for (const [name, guest, found] of CASES) {
  test(`sees a container that ${name}`, async () => {
    const facts = await seen(guest);
    for (const fact of FACTS) assert.deepEqual(facts[fact], { value: fact in found ? [found[fact]] : [] }, fact);
  });
}

test('sees a volume that is a folder of the host', async () => {
  const guest = {
    Mounts: [{ Type: 'volume', Name: 'x', Source: '/var/lib/docker/volumes/x/_data', Destination: '/m' }],
  };
  const volumes = [{ Name: 'x', Options: { type: 'none', o: 'bind', device: '/srv/node' } }];
  assert.deepEqual((await seen(guest, { volumes }))['node.homeGuests'], { value: ['agent'] });
});

test('sees a home behind a link', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'guests-'));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync('/etc', join(folder, 'home'));
  assert.deepEqual((await seen(bind('/etc'), { home: join(folder, 'home') }))['node.homeGuests'], { value: ['agent'] });
});

test('says what of the key file cannot be seen, and where there is none', async () => {
  const unknown = (await seen({}, { keyFiles: [undefined] }))['node.keyFileGuests'];
  assert.ok(unknown !== undefined && 'error' in unknown);
  const none = (await seen({}, { keyFiles: [] }))['node.keyFileGuests'];
  assert.ok(none !== undefined && 'absent' in none);
});
