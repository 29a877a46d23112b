import { LABELS } from '../../../cli/provision/docker/role-table.ts';
import { VERSION } from '../../../cli/version.ts';
import {
  argument,
  bind,
  environment,
  host,
  idle,
  label,
  network,
  published,
  rowsOf,
  seccomp,
  security,
  top,
  volume,
} from './weakened-change.ts';

const [gateway, store, audit, rollup] = (['gateway', 'store', 'audit', 'rollup'] as const).map(rowsOf) as [
  ReturnType<typeof rowsOf>,
  ReturnType<typeof rowsOf>,
  ReturnType<typeof rowsOf>,
  ReturnType<typeof rowsOf>,
];
const SECRET = 'hunter2-b2a94dd1c7';

/** Who it is and what it may. */
const CONFINEMENT = [
  gateway(
    'runs as root',
    [idle, top({ User: '0:0' })],
    ['CTR-001', 'CTR-002', 'CTR-003', 'PRC-001', 'PRC-013', 'PRC-017'],
  ),
  gateway('runs in the group root', top({ User: '64001:0' }), ['CTR-003', 'PRC-001', 'PRC-017']),
  gateway('runs as a user of people', [idle, top({ User: '1000:1000' })], ['CTR-002', 'PRC-013']),
  gateway('is in one more group', host({ GroupAdd: ['64000', '999'] }), ['CTR-004']),
  gateway('has one more capability', host({ CapAdd: ['SYS_ADMIN'] }), ['CTR-006', 'PRC-006']),
  gateway('keeps the capabilities of engines', host({ CapDrop: [] }), ['CTR-007', 'PRC-006']),
  gateway(
    'is privileged',
    [host({ Privileged: true }), security('seccomp=')],
    ['CTR-005', 'CTR-010', 'CTR-011', 'CTR-016', 'CTR-027', 'PRC-006', 'PRC-011'],
  ),
  // With the role's own filter it would not even start: setting its groups is a call that the filter refuses.
  gateway(
    'may gain privileges',
    [security('no-new-privileges'), security('seccomp=')],
    ['CTR-008', 'CTR-011', 'PRC-009'],
  ),
  gateway('calls the kernel unfiltered', security('seccomp=', 'seccomp=unconfined'), ['CTR-010', 'CTR-011', 'PRC-011']),
  gateway("has the engine's filter", security('seccomp='), ['CTR-011']),
  gateway(
    'has a filter that allows the rest',
    seccomp('gateway', (profile) => ({ ...profile, defaultAction: 'SCMP_ACT_ALLOW' })),
    ['CTR-011', 'CTR-012'],
  ),
  gateway(
    'has a filter that lets it mount',
    seccomp('gateway', ({ syscalls, ...profile }) => ({
      ...profile,
      syscalls: [...syscalls, { names: ['mount'], action: 'SCMP_ACT_ALLOW' }],
    })),
    ['CTR-011', 'CTR-013'],
  ),
  gateway("is in the host's network", [idle, host({ NetworkMode: 'host' })], ['CTR-018', 'CTR-051', 'PRC-029']),
  gateway('sees all of /proc', host({ MaskedPaths: [], ReadonlyPaths: [] }), ['CTR-027']),
  gateway('is in the cgroup of another', host({ CgroupParent: 'system.slice' }), ['CTR-024']),
  gateway('has a setting of the kernel', host({ Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' } }), [
    'CTR-025',
  ]),
  gateway(
    'has a device',
    host({ Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/extra', CgroupPermissions: 'r' }] }),
    ['CTR-026'],
  ),
  audit("sees the host's processes", host({ PidMode: 'host' }), ['CTR-016', 'CTR-019', 'PRC-029'], {
    'CTR-060': 'error',
    'PRC-052': 'error',
  }),
  audit("shares the host's memory", host({ IpcMode: 'host' }), ['CTR-016', 'CTR-020', 'PRC-029']),
  audit("has the host's name", [top({ Hostname: '' }), host({ UTSMode: 'host' })], ['CTR-021', 'PRC-029']),
  audit('is not remapped', host({ UsernsMode: 'host' }), ['CTR-022']),
  // Only its own check sees it: what Compose 1.29 makes on cgroup v1 is like that.
  { ...audit("is in the host's cgroup namespace", host({ CgroupnsMode: 'host' }), []), fails: ['CTR-023'] },
];

/** What it can reach, and what reaches it. */
const PLACES = [
  gateway('can write its root', host({ ReadonlyRootfs: false }), ['CTR-017', 'PRC-020', 'PRC-021']),
  gateway('has the socket of the engine', bind('/var/run/docker.sock'), [
    'CTR-030',
    'CTR-031',
    'CTR-032',
    'CTR-033',
    'PRC-021',
  ]),
  gateway("reads the host's /etc", bind('/etc', { ReadOnly: true }), ['CTR-031', 'CTR-032']),
  gateway('writes a folder of the host', bind('HERE'), ['CTR-032', 'CTR-033', 'PRC-021']),
  gateway('runs programs from /tmp', host({ Tmpfs: { '/tmp': 'rw,exec,size=16m,mode=1777' } }), ['CTR-039', 'PRC-025']),
  gateway(
    'has one more place in memory',
    host({ Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,mode=1777', '/scratch': 'rw,noexec,nosuid,nodev' } }),
    ['CTR-040', 'PRC-021'],
  ),
  gateway('holds the keys', volume('keys'), ['CTR-035', 'DAT-001', 'PRC-021']),
  gateway('writes the configuration', volume('config'), ['CTR-035', 'DAT-011', 'PRC-021']),
  gateway('listens on all addresses', published('8443/tcp', { HostIp: '0.0.0.0' }), ['CTR-055']),
  gateway('has a port of root', published('8443/tcp', { HostIp: '127.0.0.1', HostPort: '871' }), ['CTR-057']),
  gateway('exposes a debugger', top({ ExposedPorts: { '8443/tcp': {}, '9229/tcp': {} } }), ['CTR-058']),
  gateway('is on the default bridge', host({ NetworkMode: 'bridge' }), ['CTR-051', 'CTR-053']),
  rollup('reads the store', volume('store', { readOnly: true }), ['DAT-002']),
  rollup('reads the log', volume('audit', { readOnly: true }), ['DAT-003']),
  rollup('listens on all addresses', published('4640/tcp', { HostIp: '0.0.0.0' }), ['CTR-056']),
  rollup('exposes its JSON-RPC', top({ ExposedPorts: { '4640/tcp': {}, '8545/tcp': {} } }), ['CTR-059']),
  store('is on a network', network('lan'), ['CTR-050', 'NET-003', 'PRC-030']),
  store('publishes a port', published('9000/tcp', { HostIp: '127.0.0.1' }), ['CTR-054']),
  audit('can write the store', volume('store'), ['CTR-037', 'DAT-002', 'PRC-023']),
];

/** What it takes of the machine, and what it is started with. */
const LIFE = [
  gateway('has no limit of memory', host({ Memory: 0, MemorySwap: 0 }), ['CTR-070', 'CTR-071']),
  gateway('may swap', host({ MemorySwap: 1024 ** 3 }), ['CTR-071']),
  gateway('has no limit of CPU', host({ NanoCpus: 0 }), ['CTR-072']),
  gateway('has no limit of processes', host({ PidsLimit: 0 }), ['CTR-073']),
  gateway('may open few files', host({ Ulimits: [{ Name: 'nofile', Soft: 512, Hard: 512 }] }), ['CTR-074', 'PRC-040']),
  gateway(
    'writes its memory to disk',
    host({
      Ulimits: [
        { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
        { Name: 'core', Soft: -1, Hard: -1 },
      ],
    }),
    ['PRC-041'],
  ),
  gateway('stays away after a crash', host({ RestartPolicy: { Name: 'no' } }), ['CTR-076']),
  gateway('has no health check', top({ Healthcheck: { Test: ['NONE'] } }), ['CTR-077', 'CTR-079']),
  gateway('is checked by a shell', top({ Healthcheck: { Test: ['CMD-SHELL', 'true'] } }), ['CTR-078']),
  gateway('has a password in its environment', environment(`DB_PASSWORD=${SECRET}`), ['CTR-081', 'PRC-046']),
  gateway('has a password among its arguments', [idle, argument('--', `--password=${SECRET}`)], ['CTR-083', 'PRC-047']),
  gateway('may be debugged', environment('NODE_OPTIONS=--inspect=127.0.0.1:9229'), ['CTR-082', 'PRC-045', 'PRC-050']),
  gateway('believes every certificate', environment('NODE_TLS_REJECT_UNAUTHORIZED=0'), ['CTR-082', 'PRC-050']),
  gateway('keeps no log', host({ LogConfig: { Type: 'none', Config: {} } }), ['CTR-084']),
  gateway('may fill the disk with its log', host({ LogConfig: { Type: 'json-file', Config: {} } }), ['CTR-085']),
  gateway('was named by a tag', [idle, top({ Image: `nectar-byon-gateway:${VERSION}` })], ['CTR-088']),
  gateway('was made from another specification', label({ [LABELS.spec]: '0'.repeat(64) }), ['CTR-087']),
  gateway('lost its labels', top({ Labels: {} }), ['CTR-086', 'CTR-087']),
];

/** What has no check of its own: every field that the engine shows is held against what the program would ask for. */
const DRIFT = [
  gateway('knows another host', host({ ExtraHosts: ['l1.example:10.0.0.66'] }), []),
  gateway('asks another DNS server', host({ Dns: ['10.0.0.66'], DnsSearch: ['evil.example'] }), []),
  gateway('goes through a proxy', environment('HTTPS_PROXY=http://10.0.0.66:3128', 'no_proxy=*'), ['CTR-082']),
  gateway('trusts a foreign authority', environment('SSL_CERT_DIR=/tmp', 'NODE_USE_SYSTEM_CA=1'), ['CTR-082']),
  gateway(
    'is always called healthy',
    top({ Healthcheck: { Test: ['CMD', '/nodejs/bin/node', '-e', '0'], Interval: 10 ** 10 } }),
    [],
  ),
  gateway('may make devices', host({ DeviceCgroupRules: ['c 1:3 rwm'] }), []),
  gateway('shares its memory with whoever joins', host({ IpcMode: 'shareable' }), []),
  gateway('may take 20 GiB of memory', host({ Memory: 20 * 1024 ** 3, MemorySwap: 20 * 1024 ** 3 }), []),
  gateway('is ended first when memory runs out', host({ OomScoreAdj: 500 }), []),
  gateway('has large shared memory', host({ ShmSize: 2 * 1024 ** 3 }), []),
  gateway('has a label for a proxy', label({ 'traefik.enable': 'true' }), []),
  gateway('is stopped at once', top({ StopTimeout: 1 }), []),
];

/** Ordered by role: the next one of a role replaces the one before. */
export const WEAKENED_CONTAINERS = [...CONFINEMENT, ...PLACES, ...LIFE, ...DRIFT];
