import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import { createEngineCollector, engineFacts } from '../../../../hardening/collectors/engine/engine.ts';
import type { EngineAnswers } from '../../../../hardening/collectors/engine/engine-answers.ts';
import type { FileState, MachineFiles } from '../../../../hardening/collectors/engine/machine-files.ts';
import type { EngineApi } from '../../../../hardening/collectors/engine-api.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';

const recorded = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`./recorded/${name}.json`, import.meta.url), 'utf8'));

interface Machine {
  readonly args?: readonly string[];
  readonly config?: object;
  readonly configState?: FileState;
  readonly socket?: FileState;
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of /proc/PID/net/tcp of the daemon. */
  readonly listening?: readonly string[];
}

/** The machine on which Docker's answers were recorded. */
function machine({
  args = ['/usr/sbin/dockerd'],
  config,
  configState,
  socket,
  files,
  listening = [],
}: Machine): MachineFiles {
  const texts: Readonly<Record<string, string>> = {
    '/proc/sys/kernel/hostname': 'vm\n',
    '/proc/sys/kernel/osrelease': '6.18.44-fc-v657\n',
    '/run/docker.pid': '77',
    '/proc/77/comm': 'dockerd\n',
    '/proc/77/cmdline': args.map((arg) => `${arg}\0`).join(''),
    '/proc/77/net/tcp': `header\n${listening.map((address) => ` 0: ${address} 0:0 0A 0:0 0:0 0 0 0 5 1\n`).join('')}`,
    '/etc/group': 'root:x:0:\ndocker:x:110:ana,ben\n',
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nops:x:1000:110::/home/ops:/bin/sh\n',
    ...(config !== undefined && { '/etc/docker/daemon.json': JSON.stringify(config) }),
    ...files,
  };
  const states: Readonly<Record<string, FileState>> = {
    '/run/docker.sock': socket ?? { mode: 0o660, uid: 0, gid: 110 },
    '/var/lib/docker': { mode: 0o710, uid: 0, gid: 0 },
    ...(configState !== undefined && { '/etc/docker/daemon.json': configState }),
  };
  return {
    text: (path) => texts[path],
    state: (path) => states[path],
    names: (path) => (path.endsWith('/fd') ? ['3'] : ['77', 'self']),
    link: () => 'socket:[5]',
  };
}

function facts(of: Machine = {}, more: { info?: object; bridge?: object; socketPath?: string | undefined } = {}) {
  const answers: EngineAnswers = {
    engine: 'docker',
    info: openDocument({ ...recorded('docker-info'), ...more.info }),
    version: openDocument({ Version: '20.10.24', ApiVersion: '1.41' }),
    bridge: openDocument(more.bridge ?? { Options: {} }),
    socketPath: 'socketPath' in more ? more.socketPath : '/run/docker.sock',
    machine: machine(of),
  };
  return engineFacts(answers) as Record<string, Observation>;
}

const value = (found: Record<string, Observation>, fact: string): unknown => {
  const observation = found[`engine.${fact}`];
  assert.ok(observation !== undefined && 'value' in observation, `${fact}: ${JSON.stringify(observation)}`);
  return observation.value;
};

test('reads Docker 20.10 as it came', () => {
  const found = facts();
  for (const [fact, wanted] of Object.entries({
    kind: 'docker',
    version: '20.10.24',
    rootless: false,
    userNamespaces: false,
    seccomp: true,
    seccompProfile: 'default',
    appArmor: false,
    storageDriver: 'overlay2',
    cgroupVersion: 1,
    liveRestore: false,
    userlandProxy: true,
    iptables: true,
    logLevel: 'info',
    insecureRegistries: [],
    tcpListeners: [],
    tcpTlsVerified: true,
    swarm: false,
    iccDefaultBridge: true,
    configFileSafe: true,
    dataFolderMode: 0o710,
    socketMode: 0o660,
    socketGroup: 'docker',
    socketOwnerRoot: true,
    socketUsers: ['ana', 'ben', 'ops'],
    warnings: [],
  })) {
    assert.deepEqual(value(found, fact), wanted, fact);
  }
});

test('takes a setting from the flags of the daemon before its file, and from both before the default', () => {
  const config = { 'userland-proxy': false, 'log-level': 'debug', 'default-ulimits': { nofile: {} }, iptables: false };
  const byFile = facts({ config });
  assert.equal(value(byFile, 'userlandProxy'), false);
  assert.equal(value(byFile, 'logLevel'), 'debug');
  assert.equal(value(byFile, 'defaultUlimits'), true);
  assert.equal(value(byFile, 'iptables'), false);
  const args = ['dockerd', '--userland-proxy=true', '--log-level', 'warn', '--no-new-privileges', '--tlsverify'];
  const byFlags = facts({ config, args });
  assert.equal(value(byFlags, 'userlandProxy'), true);
  assert.equal(value(byFlags, 'logLevel'), 'warn');
  assert.equal(value(byFlags, 'noNewPrivilegesDefault'), true);
  assert.equal(value(facts({ args: ['dockerd', '-l', 'error'] }), 'logLevel'), 'error');
});

test('sees an API on TCP in the kernel, however the daemon was told', () => {
  const open = facts({ listening: ['00000000:0947', '0100007F:0949'] });
  // 2375; 2377 is the swarm's own port.
  assert.deepEqual(value(open, 'tcpListeners'), ['0.0.0.0:2375']);
  assert.equal(value(open, 'tcpTlsVerified'), false);
  const closed = facts({ listening: ['00000000:0948'], args: ['dockerd', '--tlsverify'] });
  assert.deepEqual([value(closed, 'tcpListeners'), value(closed, 'tcpTlsVerified')], [['0.0.0.0:2376'], true]);
  const metrics = facts({ listening: ['0100007F:2441'], config: { 'metrics-addr': '127.0.0.1:9281' } });
  assert.deepEqual(value(metrics, 'tcpListeners'), []);
});

test('sees weak settings in what the API tells', () => {
  const registries = {
    InsecureRegistryCIDRs: ['127.0.0.0/8', '10.0.0.0/8'],
    IndexConfigs: { 'docker.io': { Secure: true }, 'reg.example.org': { Secure: false } },
  };
  const info = {
    RegistryConfig: registries,
    Debug: true,
    ExperimentalBuild: true,
    Swarm: { LocalNodeState: 'active' },
    SecurityOptions: ['name=seccomp,profile=unconfined', 'name=userns', 'name=apparmor'],
    Warnings: ['WARNING: No swap limit support'],
    LiveRestoreEnabled: true,
  };
  const found = facts({}, { info, bridge: { Options: { 'com.docker.network.bridge.enable_icc': 'false' } } });
  assert.deepEqual(value(found, 'insecureRegistries'), ['10.0.0.0/8', 'reg.example.org']);
  assert.equal(value(found, 'seccompProfile'), 'unconfined');
  for (const fact of ['debug', 'experimental', 'swarm', 'userNamespaces', 'appArmor', 'liveRestore'])
    assert.equal(value(found, fact), true, fact);
  assert.equal(value(found, 'iccDefaultBridge'), false);
  assert.deepEqual(value(found, 'warnings'), ['WARNING: No swap limit support']);
  const builtin = facts({}, { info: { SecurityOptions: ['name=seccomp,profile=builtin'] } });
  assert.equal(value(builtin, 'seccompProfile'), 'default');
});

test('judges the owner and mode of the configuration file', () => {
  const safe = (configState: FileState): unknown => value(facts({ configState }), 'configFileSafe');
  assert.equal(safe({ mode: 0o644, uid: 0, gid: 0 }), true);
  assert.equal(safe({ mode: 0o664, uid: 0, gid: 0 }), false);
  assert.equal(safe({ mode: 0o600, uid: 1000, gid: 0 }), false);
});

test('says nothing of files that lie on another machine', () => {
  const local = ['socketMode', 'socketUsers', 'configFileSafe', 'dataFolderMode', 'userlandProxy', 'tcpListeners'];
  for (const found of [
    facts({}, { socketPath: undefined }),
    facts({}, { info: { Name: 'docker-desktop' } }),
    facts({}, { info: { KernelVersion: '6.6.0-linuxkit' } }),
  ]) {
    for (const fact of local) assert.ok('error' in (found[`engine.${fact}`] ?? {}), fact);
    assert.equal(value(found, 'storageDriver'), 'overlay2');
  }
});

test('knows nothing of a daemon that it cannot tell from another', () => {
  const found = facts({ files: { '/run/docker.pid': '78' } });
  assert.equal(value(found, 'logLevel'), 'info');
  const two = { ...machine({ files: { '/run/docker.pid': '' } }), names: () => ['77', '78'] };
  const both: MachineFiles = {
    ...two,
    text: (path) => (path === '/proc/78/comm' ? 'dockerd\n' : two.text(path)),
  };
  const answers: EngineAnswers = {
    engine: 'docker',
    info: openDocument(recorded('docker-info')),
    version: openDocument({}),
    bridge: undefined,
    socketPath: '/run/docker.sock',
    machine: both,
  };
  const observation = engineFacts(answers)['engine.logLevel'];
  assert.match('error' in observation ? observation.error : '', /2 processes/);
});

test('reads Podman, and looks for no daemon of it', async () => {
  const api: EngineApi = {
    getJson: async (path) => {
      if (path === '/info') return recorded('podman-info');
      return { Version: '4.3.1', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] };
    },
    getStream: async () => undefined,
    exec: () => Promise.reject(new Error('not asked for')),
  };
  const collector = createEngineCollector({ api, socketPath: '/run/docker.sock', machine: machine({}) });
  const [subject] = await collector.collect(new AbortController().signal);
  const found = (subject?.facts ?? {}) as Record<string, Observation>;
  assert.equal(value(found, 'kind'), 'podman');
  assert.equal(value(found, 'version'), '4.3.1');
  assert.equal(value(found, 'seccompProfile'), 'default');
  assert.equal(value(found, 'socketMode'), 0o660);
  for (const fact of ['userlandProxy', 'tcpListeners', 'liveRestore', 'configFileSafe'])
    assert.ok('absent' in (found[`engine.${fact}`] ?? {}), fact);
});
