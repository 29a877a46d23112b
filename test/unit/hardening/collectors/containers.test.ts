import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { containerFacts, createContainersCollector } from '../../../../hardening/collectors/container/containers.ts';
import type { ContainerContext } from '../../../../hardening/collectors/container/inspected.ts';
import { seccompDigest } from '../../../../hardening/collectors/container/seccomp.ts';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import type { EngineApi, EngineNode } from '../../../../hardening/collectors/engine-api.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';
import { factSetProblems } from '../../../../hardening/parse-facts.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const profile = read('../../../../images/seccomp/nectar-store.json');
const gatewayProfile = read('../../../../images/seccomp/nectar-gateway.json');

const node: EngineNode = {
  nodeId: `1f2e3d4c${'0'.repeat(24)}`,
  prefix: 'nectar-1f2e3d4c-',
  roles: ['gateway', 'store', 'audit', 'rollup'],
  labels: {
    node: 'org.nectar-byon.node',
    role: 'org.nectar-byon.role',
    version: 'org.nectar-byon.version',
    spec: 'org.nectar-byon.spec',
  },
};

interface Recorded {
  [field: string]: unknown;
  Id: string;
  Image: string;
  Mounts: Record<string, unknown>[];
  HostConfig: Record<string, unknown>;
  Config: { Labels: Record<string, string>; [field: string]: unknown };
  State: Record<string, unknown>;
  NetworkSettings: Record<string, unknown>;
}

const recorded = (name: string): Recorded =>
  JSON.parse(read(`./recorded/${name}.json`).replace('@PROFILE@', JSON.stringify(profile).slice(1, -1)));

const context: ContainerContext = {
  seccomp: { store: seccompDigest(JSON.parse(profile)), gateway: seccompDigest(JSON.parse(gatewayProfile)) },
  readProfile: (path) => (path === '/srv/nectar/seccomp/nectar-store.json' ? profile : gatewayProfile),
  specs: { store: '2cf156c184879bfceac40131f4cf3261a568f3b5b515873921876878aa06b3b2' },
  imageIds: { store: recorded('podman-store').Image },
  keyFileTarget: '/run/secrets/root-key',
};

/** The recorded container, weakened. */
function facts(
  name: 'docker-store' | 'docker-gateway' | 'podman-store' | 'podman-gateway',
  change: (container: Recorded) => void = () => undefined,
  more: Partial<ContainerContext> = {},
): Record<string, Observation> {
  const container = recorded(name);
  change(container);
  const [engine, role = ''] = name.split('-') as ['docker' | 'podman', string];
  const libpod = openDocument(JSON.parse(read('./recorded/podman-libpod.json')));
  const document = openDocument(container);
  return containerFacts({ engine, document, libpod, node, role, context: { ...context, ...more } });
}

const value = (found: Record<string, Observation>, fact: string): unknown => {
  const observation = found[`container.${fact}`];
  assert.ok(observation !== undefined && 'value' in observation, `${fact}: ${JSON.stringify(observation)}`);
  return observation.value;
};

test('reads a container as Docker 20.10 shows it', () => {
  const found = facts('docker-store');
  const expected = {
    role: 'store',
    platform: 'docker',
    imagePinned: true,
    uid: 64002,
    gid: 64002,
    supplementaryGroups: ['64000'],
    privileged: false,
    readOnlyRoot: true,
    capabilitiesAdded: [],
    capabilitiesDropped: ['ALL'],
    noNewPrivileges: true,
    seccomp: 'nectar',
    seccompDefaultAction: 'SCMP_ACT_ERRNO',
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    hostUts: false,
    hostUser: false,
    networks: [],
    onDefaultBridge: false,
    publishedPorts: [],
    hostMounts: ['/etc/nectar-byon/root.key:ro'],
    writableHostMounts: [],
    sensitiveHostMounts: [],
    engineSocketMounted: false,
    mountPropagation: [],
    writableVolumes: ['health-store', 'keys', 'sock-blocks', 'sock-store', 'store'],
    tmpfs: ['/tmp'],
    tmpfsUnsafe: [],
    memoryLimitBytes: 512 * 1024 ** 2,
    swapBytes: 0,
    cpuMillis: 2000,
    pidsLimit: 64,
    openFilesLimit: 16384,
    restartPolicy: 'unless-stopped',
    healthcheck: true,
    healthcheckShell: false,
    environment: ['NECTAR_SOCKETS', 'NODE_ENV', 'PATH'],
    secretsInEnvironment: [],
    secretsInCommand: false,
    logDriver: 'json-file',
    logMaxBytes: 30 * 1024 ** 2,
    init: false,
    labelled: true,
    specDrift: false,
    procMount: 'Default',
  };
  for (const [fact, wanted] of Object.entries(expected)) assert.deepEqual(value(found, fact), wanted, fact);
  assert.equal((value(found, 'seccompCalls') as string[]).includes('ptrace'), false);
  assert.deepEqual(value(facts('docker-gateway'), 'networks'), ['lan']);
  assert.deepEqual(value(facts('docker-gateway'), 'publishedPorts'), ['127.0.0.1:24334->8443/tcp']);
});

test('reads the same of a container as Podman 4.3 shows it', () => {
  const found = facts('podman-store');
  for (const [fact, wanted] of Object.entries({
    platform: 'podman',
    imagePinned: true,
    capabilitiesDropped: ['ALL'],
    noNewPrivileges: true,
    seccomp: 'nectar',
    hostCgroup: false,
    networks: [],
    init: false,
    swapBytes: 0,
    openFilesLimit: 16384,
    // Podman adds two of its own to a read-only root, and lets programs be run from them.
    tmpfs: ['/run', '/tmp', '/var/tmp'],
    tmpfsUnsafe: ['/run', '/var/tmp'],
  })) {
    assert.deepEqual(value(found, fact), wanted, fact);
  }
  assert.deepEqual(value(facts('podman-gateway'), 'networks'), ['lan']);
  assert.equal(value(facts('podman-gateway'), 'onDefaultBridge'), false);
  assert.ok('error' in (found['container.procMount'] ?? {}));
});

test('sees every weakening in the fact that is about it', () => {
  const host = (fields: Record<string, unknown>) => (container: Recorded) => {
    Object.assign(container.HostConfig, fields);
  };
  const bind =
    (Source: string, RW = false) =>
    (container: Recorded) => {
      container.Mounts.push({ Type: 'bind', Source, Destination: '/x', RW, Propagation: 'rprivate' });
    };
  const config = (fields: Record<string, unknown>) => (container: Recorded) => {
    Object.assign(container.Config, fields);
  };
  const seccomp = (action: string, ...syscalls: object[]) =>
    host({ SecurityOpt: [`seccomp=${JSON.stringify({ defaultAction: `SCMP_ACT_${action}`, syscalls })}`] });
  const cases: readonly [string, (container: Recorded) => void, unknown][] = [
    ['uid', config({ User: '' }), 0],
    ['gid', config({ User: '1000:0' }), 0],
    ['privileged', host({ Privileged: true }), true],
    ['procMount', host({ Privileged: true }), 'Unmasked'],
    ['procMount', host({ MaskedPaths: [] }), 'Unmasked'],
    ['seccomp', host({ Privileged: true, SecurityOpt: [] }), 'unconfined'],
    ['seccomp', host({ SecurityOpt: ['seccomp=unconfined'] }), 'unconfined'],
    ['seccomp', host({ SecurityOpt: ['seccomp:unconfined'] }), 'unconfined'],
    ['seccomp', host({ SecurityOpt: [] }), 'default'],
    ['seccomp', host({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] }), 'custom'],
    ['seccomp', host({ SecurityOpt: [`seccomp=${gatewayProfile}`] }), 'custom'],
    ['seccompCalls', seccomp('ERRNO', { names: ['mount'], action: 'SCMP_ACT_LOG' }), ['mount']],
    ['noNewPrivileges', host({ SecurityOpt: [] }), false],
    ['noNewPrivileges', host({ SecurityOpt: ['no-new-privileges:false'] }), false],
    ['selinuxOptions', host({ SecurityOpt: ['label=disable'] }), ['disable']],
    ['readOnlyRoot', host({ ReadonlyRootfs: false }), false],
    ['capabilitiesAdded', host({ CapAdd: ['CAP_SYS_ADMIN', 'net_raw'] }), ['NET_RAW', 'SYS_ADMIN']],
    ['hostPid', host({ PidMode: 'host' }), true],
    ['hostIpc', host({ IpcMode: 'host' }), true],
    ['hostUts', host({ UTSMode: 'host' }), true],
    ['hostUser', host({ UsernsMode: 'host' }), true],
    ['hostCgroup', host({ CgroupnsMode: 'host' }), true],
    ['hostCgroup', host({ CgroupnsMode: 'private' }), false],
    ['hostNetwork', host({ NetworkMode: 'host' }), true],
    ['engineSocketMounted', bind('/var/run/docker.sock'), true],
    ['engineSocketMounted', bind('/run'), true],
    ['engineSocketMounted', bind('/'), true],
    ['engineSocketMounted', bind('/home/ana/podman/podman.sock'), true],
    ['sensitiveHostMounts', bind('/etc', true), ['/etc:rw']],
    ['sensitiveHostMounts', bind('/library'), []],
    ['writableHostMounts', bind('/srv', true), ['/srv']],
    ['memoryLimitBytes', host({ Memory: 0 }), 0],
    ['swapBytes', host({ MemorySwap: 0 }), 512 * 1024 ** 2],
    ['swapBytes', host({ MemorySwap: -1 }), -1],
    ['pidsLimit', host({ PidsLimit: null }), 0],
    ['pidsLimit', host({ PidsLimit: -1 }), 0],
    ['cpuMillis', host({ NanoCpus: 0 }), 0],
    ['cpuMillis', host({ NanoCpus: 0, CpuQuota: 50_000, CpuPeriod: 0 }), 500],
    ['openFilesLimit', host({ Ulimits: [] }), 0],
    ['restartPolicy', host({ RestartPolicy: { Name: '', MaximumRetryCount: 0 } }), 'no'],
    ['devices', host({ Devices: [{ PathOnHost: '/dev/kvm' }] }), ['/dev/kvm']],
    ['tmpfsUnsafe', host({ Tmpfs: { '/tmp': 'rw,exec' } }), ['/tmp']],
    ['tmpfsUnsafe', host({ Tmpfs: { '/tmp': 'rw' } }), []],
    ['sysctls', host({ Sysctls: { 'net.core.somaxconn': '1024' } }), ['net.core.somaxconn=1024']],
    ['logMaxBytes', host({ LogConfig: { Type: 'json-file', Config: {} } }), 0],
    ['healthcheck', config({ Healthcheck: { Test: ['NONE'] } }), false],
    ['healthcheckShell', config({ Healthcheck: { Test: ['CMD-SHELL', 'curl x'] } }), true],
    ['healthcheckShell', config({ Healthcheck: { Test: ['CMD', '/bin/sh', '-c', 'x'] } }), true],
    ['secretsInEnvironment', config({ Env: ['DB_PASSWORD=hunter2!', 'PATH=/bin'] }), ['DB_PASSWORD']],
    ['imagePinned', config({ Image: 'nectar-byon-store:latest' }), false],
    ['labelled', config({ Labels: {} }), false],
    ['specDrift', config({ Labels: { [node.labels.spec]: 'other' } }), true],
  ];
  for (const [fact, change, wanted] of cases) {
    const found = facts('docker-store', change);
    assert.deepEqual(value(found, fact), wanted, `${fact}: ${change.toString()}`);
    assert.notDeepEqual(found[`container.${fact}`], undefined);
  }
  const mounts = facts('docker-store', (container) => {
    for (const mount of container.Mounts) if (mount.Type === 'bind') mount.Propagation = 'rshared';
  });
  assert.deepEqual(value(mounts, 'mountPropagation'), ['rshared']);
  const open = facts('docker-store', seccomp('ALLOW'));
  assert.deepEqual(open['container.seccompCalls'], { absent: 'it allows every call that it does not name' });
  const args = facts('docker-store', (container) => {
    container.Args = ['run', '--password', 'hunter2!'];
  });
  assert.equal(value(args, 'secretsInCommand'), true);
});

test('sees ports on all interfaces, however that is written', () => {
  const published = (HostIp: string, HostPort: string): Record<string, Observation> =>
    facts('docker-gateway', (container) => {
      const bindings = { '8443/tcp': [{ HostIp, HostPort }] };
      container.HostConfig.PortBindings = bindings;
      container.NetworkSettings.Ports = bindings;
    });
  for (const address of ['', '0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0::']) {
    assert.deepEqual(value(published(address, '443'), 'allInterfacePorts'), ['443'], address);
  }
  assert.deepEqual(value(published('192.168.1.5', '8443'), 'allInterfacePorts'), []);
  assert.deepEqual(value(published('::1', '8443'), 'allInterfacePorts'), []);
  assert.deepEqual(value(published('127.0.0.1', '443'), 'privilegedHostPorts'), ['443']);
});

test('never guesses: what the engine does not tell, or tells otherwise, is an error', () => {
  const error = (fact: string, change: (container: Recorded) => void, more: Partial<ContainerContext> = {}): void => {
    const observation = facts('docker-store', change, more)[`container.${fact}`];
    assert.ok(observation !== undefined && 'error' in observation, `${fact}: ${JSON.stringify(observation)}`);
  };
  error('privileged', (container) => delete container.HostConfig.Privileged);
  error('memoryLimitBytes', (container) => Object.assign(container.HostConfig, { Memory: 'much' }));
  error('uid', (container) => Object.assign(container.Config, { User: 'node' }));
  error('gid', (container) => Object.assign(container.Config, { User: '1000' }));
  error('init', (container) => Object.assign(container.HostConfig, { Init: null }));
  error('specDrift', () => undefined, { specs: {} });
  error('seccomp', (container) => Object.assign(container.HostConfig, { SecurityOpt: ['seccomp=/srv/x.json'] }), {
    readProfile: () => 'no JSON',
  });
  error('logMaxBytes', (container) => Object.assign(container.HostConfig, { LogConfig: { Type: 'syslog' } }));
});

test('says nothing of the health of what does not run', () => {
  const stopped = facts('docker-store', (container) => Object.assign(container.State, { Running: false }));
  assert.deepEqual(stopped['container.health'], { absent: 'it does not run' });
});

/** An engine with one container, which has lost its labels. */
function engineWith(container: Recorded, changes: unknown): EngineApi {
  return {
    getJson: async (path) => {
      if (path === '/version') return { Components: [{ Name: 'Engine' }] };
      if (path.endsWith('/changes')) return changes;
      if (path === `/containers/${container.Id}/json`) return container;
      const filters = JSON.parse(new URL(path, 'http://engine').searchParams.get('filters') ?? '{}') as object;
      if (!('name' in filters)) return [];
      return [{ Id: container.Id, Names: ['/nectar-1f2e3d4c-store'], Labels: {}, State: 'running' }];
    },
    getStream: () => Promise.reject(new Error('not asked for')),
    exec: () => Promise.reject(new Error('not asked for')),
  };
}

test('finds a container by its name when it has lost its labels, and what was written into it', async () => {
  const container = recorded('docker-store');
  container.Config.Labels = {};
  const changes = [
    { Path: '/run', Kind: 0 },
    { Path: '/run/secrets', Kind: 0 },
    { Path: '/run/secrets/root-key', Kind: 1 },
    { Path: '/app/evil.mjs', Kind: 1 },
  ];
  const collector = createContainersCollector({ api: engineWith(container, changes), node, context });
  const [whole, subject] = await collector.collect(new AbortController().signal);
  assert.deepEqual(whole?.facts, { 'node.rolesMissing': { value: node.roles.filter((role) => role !== 'store') } });
  assert.equal(subject?.name, 'nectar-1f2e3d4c-store');
  assert.deepEqual(subject.facts['container.labelled'], { value: false });
  assert.deepEqual(subject.facts['container.writtenPaths'], { value: ['/app/evil.mjs'] });
  const set = {
    format: 'nectar-byon-facts/1',
    collectedAt: '2026-01-01T00:00:00Z',
    tool: { name: 'nectar-byon', version: '0.1.0' },
    node: { id: 'x', target: 'docker', network: 'devnet' },
    collections: [],
    subjects: [subject],
  } as const;
  assert.deepEqual(factSetProblems(set), []);
});

test('fails as a whole where there is no container to look at', async () => {
  const api: EngineApi = {
    ...engineWith(recorded('docker-store'), null),
    getJson: async (path) => (path === '/version' ? {} : []),
  };
  await assert.rejects(
    async () => createContainersCollector({ api, node, context }).collect(new AbortController().signal),
    /no container/,
  );
});
