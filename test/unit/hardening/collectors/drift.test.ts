import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTAINER_ROLES, type ContainerRole, KEY_FILE, LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { driftOf } from '../../../../hardening/collectors/container/drift.ts';
import { IMAGE_ENVIRONMENT } from '../../../../hardening/collectors/container/drift-rules.ts';
import { seccompDigest } from '../../../../hardening/collectors/container/seccomp.ts';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import { bodies, each, type Inspection, inspection, NODE_ID, read, seccomp } from './made-containers.ts';

function drift(role: ContainerRole, change: (made: Inspection) => void = () => undefined): string[] {
  const made = inspection(role);
  change(made);
  return driftOf({
    engine: 'docker',
    document: openDocument(made),
    node: { nodeId: NODE_ID, prefix: 'nectar-1f2e3d4c-', roles: CONTAINER_ROLES, labels: LABELS },
    role,
    context: {
      seccomp: each((one) => seccompDigest(JSON.parse(seccomp[one]))),
      ...{ bodies, keyFileTarget: KEY_FILE },
    },
  });
}

for (const role of CONTAINER_ROLES) {
  test(`a container of the role ${role} as the engine makes it differs in nothing`, () => {
    assert.deepEqual(drift(role), []);
  });
}

const hostConfig = (more: object) => (made: Inspection) => void Object.assign(made.HostConfig, more);
const config = (more: object) => (made: Inspection) => void Object.assign(made.Config, more);
const variable = (entry: string) => (made: Inspection) => void (made.Config.Env as string[]).push(entry);

const CASES: readonly [name: string, change: (made: Inspection) => void, told: RegExp][] = [
  ['extra hosts', hostConfig({ ExtraHosts: ['l1.example:10.0.0.66'] }), /^HostConfig\.ExtraHosts was added$/],
  ['DNS servers', hostConfig({ Dns: ['10.0.0.66'] }), /^HostConfig\.Dns was added$/],
  ['a search domain', hostConfig({ DnsSearch: ['evil.example'] }), /^HostConfig\.DnsSearch/],
  ['options of the resolver', hostConfig({ DnsOptions: ['ndots:15'] }), /^HostConfig\.DnsOptions/],
  ['a proxy', variable('HTTPS_PROXY=http://10.0.0.66:3128'), /^Config\.Env: HTTPS_PROXY was added$/],
  ['a proxy in small letters', variable('https_proxy=http://10.0.0.66:3128'), /^Config\.Env: https_proxy was added$/],
  ['a foreign CA', variable('NODE_EXTRA_CA_CERTS=/nectar/gateway/ca.pem'), /^Config\.Env: NODE_EXTRA_CA_CERTS/],
  ['another CA folder', variable('SSL_CERT_DIR=/tmp'), /^Config\.Env: SSL_CERT_DIR/],
  ['another value of a variable', config({ Env: ['PATH=/tmp'] }), /^Config\.Env: PATH is another/],
  [
    'a health check that always passes',
    config({ Healthcheck: { Test: ['CMD', '/nodejs/bin/node', '-e', '0'] } }),
    /^Config\.Healthcheck is another$/,
  ],
  [
    'a health check that is never made',
    (made) => void Object.assign(made.Config.Healthcheck as object, { Interval: 10 ** 14 }),
    /^Config\.Healthcheck/,
  ],
  ['device rules', hostConfig({ DeviceCgroupRules: ['c *:* rwm'] }), /^HostConfig\.DeviceCgroupRules/],
  [
    'a request for devices',
    hostConfig({ DeviceRequests: [{ Driver: 'nvidia', Count: -1 }] }),
    /^HostConfig\.DeviceRequests/,
  ],
  ['shareable IPC', hostConfig({ IpcMode: 'shareable' }), /^HostConfig\.IpcMode is shareable, not private$/],
  ['20 GiB of memory', hostConfig({ Memory: 20 * 1024 ** 3 }), /^HostConfig\.Memory is 21474836480, not \d+$/],
  ['shared memory of 8 GiB', hostConfig({ ShmSize: 8 * 1024 ** 3 }), /^HostConfig\.ShmSize is 8589934592/],
  ['the processes of another container', hostConfig({ PidMode: 'container:abc' }), /^HostConfig\.PidMode/],
  ['the user namespace of the host', hostConfig({ UsernsMode: 'host' }), /^HostConfig\.UsernsMode is host, not unset$/],
  ['another runtime', hostConfig({ Runtime: 'evil' }), /^HostConfig\.Runtime is evil/],
  ['volumes of another', hostConfig({ VolumesFrom: ['other'] }), /^HostConfig\.VolumesFrom/],
  ['links', hostConfig({ Links: ['/other:/nectar/alias'] }), /^HostConfig\.Links/],
  ['a block weight', hostConfig({ BlkioWeight: 10 }), /^HostConfig\.BlkioWeight is 10, not unset$/],
  ['a score for the OOM killer', hostConfig({ OomScoreAdj: -1000 }), /^HostConfig\.OomScoreAdj/],
  ['all ports published', hostConfig({ PublishAllPorts: true }), /^HostConfig\.PublishAllPorts is true, not unset$/],
  ['removal at its end', hostConfig({ AutoRemove: true }), /^HostConfig\.AutoRemove/],
  ['paths of the host shown', hostConfig({ MaskedPaths: [] }), /^HostConfig\.MaskedPaths/],
  [
    'another security option',
    hostConfig({ SecurityOpt: ['no-new-privileges:true', `seccomp=${seccomp.store}`] }),
    /^HostConfig\.SecurityOpt/,
  ],
  [
    'no filter of system calls',
    hostConfig({ SecurityOpt: ['no-new-privileges:true', 'seccomp=unconfined'] }),
    /^HostConfig\.SecurityOpt/,
  ],
  [
    "the engine's own filter by name",
    hostConfig({ SecurityOpt: ['no-new-privileges:true', 'seccomp=builtin'] }),
    /^HostConfig\.SecurityOpt/,
  ],
  [
    'one more security option',
    (made) => void (made.HostConfig.SecurityOpt as string[]).push('label=disable'),
    /^HostConfig\.SecurityOpt/,
  ],
  [
    'restarts that end',
    hostConfig({ RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 1 } }),
    /^HostConfig\.RestartPolicy/,
  ],
  [
    'a log with options',
    hostConfig({ LogConfig: { Type: 'syslog', Config: { 'syslog-address': 'tcp://10.0.0.66' } } }),
    /^HostConfig\.LogConfig is another$/,
  ],
  ['a field that nobody has heard of', hostConfig({ Backdoor: { open: true } }), /^HostConfig\.Backdoor was added$/],
  ['another of them', config({ Backdoor: 'x' }), /^Config\.Backdoor was added$/],
  ['a terminal', config({ Tty: true, OpenStdin: true }), /^Config\.Tty was added$/],
  ['another command', config({ Cmd: ['run', 'gateway', '--home', '/tmp'] }), /^Config\.Cmd is another$/],
  ['another time to stop', config({ StopTimeout: 1 }), /^Config\.StopTimeout is another$/],
  [
    'a label for a proxy',
    (made) => void Object.assign(made.Config.Labels as object, { 'traefik.enable': 'true' }),
    /^Config\.Labels: traefik\.enable was added$/,
  ],
  [
    'a mount',
    (made) => void made.Mounts.push({ Type: 'volume', Name: 'x', Source: '/x', Destination: '/mnt', RW: false }),
    /^Mounts: \/mnt was added$/,
  ],
  [
    'a mount that may be written',
    (made) => void Object.assign(made.Mounts[0] ?? {}, { RW: true }),
    /^Mounts: \/nectar\/config may be written/,
  ],
  [
    'a mount of another volume',
    (made) => void Object.assign(made.Mounts[0] ?? {}, { Name: 'other' }),
    /^Mounts: \/nectar\/config comes from other$/,
  ],
  [
    'a mount that propagates',
    (made) => void Object.assign(made.Mounts[0] ?? {}, { Propagation: 'rshared' }),
    /propagates$/,
  ],
  [
    'one more network',
    (made) => void Object.assign(made.NetworkSettings.Networks, { bridge: {} }),
    /^NetworkSettings\.Networks: bridge was added$/,
  ],
  [
    'an alias',
    (made) => void Object.assign(Object.values(made.NetworkSettings.Networks)[0] ?? {}, { Aliases: ['l1.example'] }),
    /\.Aliases is set$/,
  ],
  [
    'a port published besides',
    (made) =>
      void Object.assign(made.NetworkSettings.Ports as object, { '8545/tcp': [{ HostIp: '0.0.0.0', HostPort: '1' }] }),
    /^NetworkSettings\.Ports: 0\.0\.0\.0:1->8545\/tcp was added$/,
  ],
];

for (const [name, change, told] of CASES) {
  test(`notices ${name}, with the label kept`, () => {
    const [first = '', ...more] = drift('gateway', change);
    assert.match(first, told);
    // A terminal is two fields, a variable that replaces all the rest some more.
    assert.ok(more.length <= 2, more.join('\n'));
  });
}

test('shows no value of a variable, a label or a command line', () => {
  const told = drift('gateway', (made) => {
    (made.Config.Env as string[]).push('DB_PASSWORD=hunter2');
    Object.assign(made.Config.Labels as object, { token: 'hunter2' });
    Object.assign(made.Config, { Cmd: ['--password=hunter2'] });
    Object.assign(made.HostConfig, { LogConfig: { Type: 'splunk', Config: { 'splunk-token': 'hunter2' } } });
  });
  assert.equal(told.length, 4);
  assert.doesNotMatch(told.join('\n'), /hunter2/);
});

test('notices what is missing', () => {
  assert.deepEqual(
    drift('store', (made) => {
      delete made.HostConfig.PidsLimit;
      made.Mounts.pop();
    }),
    ['HostConfig.PidsLimit is unset, not 64', `Mounts: ${KEY_FILE} is missing`].map((line) =>
      line.replace('64', String((bodies.store as { HostConfig: { PidsLimit: number } }).HostConfig.PidsLimit)),
    ),
  );
});

test("takes Podman's own words for what was asked for, and notices what was not", () => {
  const told = (change: (made: Inspection) => void = () => undefined): string[] => {
    const made = JSON.parse(read('./recorded/podman-gateway.json')) as Inspection;
    change(made);
    const own = { ...(bodies.gateway as object), Image: made.Image, HostConfig: { ...bodies.gateway?.HostConfig } };
    own.HostConfig.PortBindings = made.HostConfig.PortBindings as never;
    return driftOf({
      engine: 'podman',
      document: openDocument(made),
      node: { nodeId: NODE_ID, prefix: 'nectar-1f2e3d4c-', roles: CONTAINER_ROLES, labels: LABELS },
      role: 'gateway',
      context: {
        seccomp: each((one) => seccompDigest(JSON.parse(seccomp[one]))),
        readProfile: () => seccomp.gateway,
        ...{ bodies: { gateway: own }, keyFileTarget: KEY_FILE },
      },
    });
  };
  // Recorded before cores were limited and health checks came every 20 s, from another specification.
  const recorded = [
    'Config.Healthcheck is another',
    'Config.Labels: org.nectar-byon.spec is another',
    'HostConfig.Ulimits is another',
  ];
  assert.deepEqual(told(), recorded);
  const more = told((made) => {
    Object.assign(made.HostConfig, { ExtraHosts: ['l1.example:10.0.0.66'], PidMode: 'host' });
    (made.Config.Env as string[]).push('HTTPS_PROXY=x');
  });
  assert.deepEqual(more.filter((line) => !recorded.includes(line)).sort(), [
    'Config.Env: HTTPS_PROXY was added',
    'HostConfig.ExtraHosts was added',
    'HostConfig.PidMode is host, not unset',
  ]);
});

test('knows the variables of the images', () => {
  const source = read('../../../../images/role-image.ts');
  const [, list = ''] = /Env: \[(.*)\]/.exec(source) ?? [];
  assert.deepEqual(
    list.split(', ').map((entry) => entry.slice(1, -1)),
    IMAGE_ENVIRONMENT,
  );
});
