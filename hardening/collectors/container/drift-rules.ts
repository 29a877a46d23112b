import type { Inspected } from './inspected.ts';
import { securityOptions } from './inspected.ts';
import { isNothing, sameValue } from './same-value.ts';
import { appliedSeccomp } from './seccomp.ts';

type Engine = Inspected['engine'];
type Rule = (actual: unknown, asked: unknown, container: Inspected) => boolean;

/** What the images of the roles set themselves (images/role-image.ts; a test holds the two together). */
export const IMAGE_ENVIRONMENT = ['PATH=/nodejs/bin', 'NODE_ENV=production', 'NECTAR_SOCKETS=/run/nectar'];

/** Variables that an engine gives to every container. */
const ENGINE_ENVIRONMENT: Readonly<Record<Engine, readonly string[]>> = {
  docker: [],
  podman: ['TERM', 'container', 'HOSTNAME', 'HOME'],
};

export function isOfEngine(engine: Engine, _field: 'Env', name: string): boolean {
  return ENGINE_ENVIRONMENT[engine].includes(name);
}

/** What an engine shows of a field that this program leaves to it, or that it shows in words of its own. */
const USUAL: Readonly<Record<Engine, Readonly<Record<string, readonly unknown[]>>>> = {
  docker: {
    ShmSize: [67_108_864],
    Runtime: ['runc', 'crun', 'io.containerd.runc.v2'],
    Isolation: ['default'],
    MemorySwappiness: [-1],
    // Compose and the command line attach; nothing comes in.
    AttachStdout: [true],
    AttachStderr: [true],
  },
  podman: {
    ShmSize: [65_536_000, 67_108_864],
    Runtime: ['oci', 'crun', 'runc'],
    MemorySwappiness: [-1],
    CgroupnsMode: ['', 'private'],
    IpcMode: ['private', 'shareable'],
    PidMode: ['private'],
    UTSMode: ['private'],
    NetworkMode: ['bridge', 'none'],
    CpuPeriod: [100_000],
    StopSignal: ['15', 15],
    OomScoreAdj: [0],
  },
};

export function isUsual(engine: Engine, field: string, value: unknown): boolean {
  return USUAL[engine][field]?.includes(value) === true;
}

/** Paths of the host that both engines hide; newer ones hide more. */
const MASKED = ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/scsi', '/sys/firmware'];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const contains =
  (wanted: readonly string[]): Rule =>
  (actual, _asked, { engine }) =>
    // Podman does not list them: whoever looks from inside sees (container.procMount).
    (engine === 'podman' && isNothing(actual)) ||
    (Array.isArray(actual) && wanted.every((path) => actual.includes(path)));

const onPodman =
  (rule: Rule): Rule =>
  (actual, asked, container) =>
    container.engine === 'podman' ? rule(actual, asked, container) : sameValue(actual, asked);

const shownElsewhere: Rule = () => true;

/** Fields whose sameness is more than equality. */
const CONFIG: Readonly<Record<string, Rule>> = {
  // An image's own ports are judged with the image.
  ExposedPorts: (actual, asked) => sameValue(Object.keys(Object(actual)).sort(), Object.keys(Object(asked)).sort()),
  Image: (actual, asked, { document }) => actual === asked || document.in('Image').textOr('') === asked,
  // By the second and by the nanosecond it is the same number.
  StopSignal: onPodman((actual) => ['SIGTERM', '15', 15].includes(actual as string)),
};

const HOST: Readonly<Record<string, Rule>> = {
  MaskedPaths: contains(MASKED),
  ReadonlyPaths: contains(READ_ONLY),
  // Mounts are compared by what the container has: mountDrift.
  Mounts: (actual) => !Array.isArray(actual) || actual.every(isPlainMount),
  Binds: shownElsewhere,
  CapDrop: onPodman(shownElsewhere),
  // Judged by a check of its own (container.hostCgroup): Compose 1.29 cannot ask for it, and cgroup v1 shares it by default.
  CgroupnsMode: (actual, asked) => sameValue(actual, asked) || isNothing(actual) || actual === 'host',
  Tmpfs: onPodman((actual, asked) => Object.keys(Object(asked)).every((path) => path in Object(actual))),
  CpuQuota: onPodman((actual, _asked, { document }) => {
    const nanos = document.in('HostConfig', 'NanoCpus').integerOr(0);
    return Number(actual) * 10_000 === nanos || isNothing(actual);
  }),
  LogConfig: (actual, asked, { engine }) =>
    engine === 'podman' ? Object(actual).Type === Object(asked).Type : sameValue(actual, asked),
  RestartPolicy: (actual, asked) =>
    Object(actual).Name === Object(asked).Name && isNothing(Object(actual).MaximumRetryCount),
  Ulimits: (actual, asked) => sameValue(limits(actual), limits(asked)),
  SecurityOpt: (_actual, asked, container) => isSecured(asked, container),
};

/** As this program asks for it, with nothing that opens it further. */
function isPlainMount(mount: unknown): boolean {
  const { Type, Source, Target, ReadOnly, ...more } = Object(mount) as Record<string, unknown>;
  return ['volume', 'bind'].includes(String(Type)) && Object.values(more).every(isNothing);
}

/** Podman calls `nofile` RLIMIT_NOFILE. */
function limits(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((limit) => ({
    ...limit,
    Name: String(Object(limit).Name)
      .replace(/^RLIMIT_/, '')
      .toLowerCase(),
  }));
}

/** The same options and no other; a seccomp profile is the same whatever its spaces, and Podman's is a file of ours. */
function isSecured(asked: unknown, container: Inspected): boolean {
  const names = Array.isArray(asked) ? asked.map((option) => String(option).split(/[=:]/)[0] ?? '') : [];
  const found = securityOptions(container);
  if (found.length !== names.length || !names.every((name) => found.some((option) => option.name === name)))
    return false;
  return found.every(({ name, value }) => {
    if (name === 'no-new-privileges') return value === '' || value === 'true';
    return name === 'seccomp' && appliedSeccomp(container).kind === 'nectar';
  });
}

interface OwnRules {
  readonly Config: Readonly<Record<string, Rule>>;
  readonly HostConfig: Readonly<Record<string, Rule>>;
  readonly labels: RegExp;
  readonly endpoint: readonly string[];
  readonly networkSettings: readonly string[];
}

export const OWN_RULES: OwnRules = {
  Config: CONFIG,
  HostConfig: HOST,
  /** Of the images, of Compose and of the engine itself. */
  labels:
    /^(org\.opencontainers\.image\.|org\.nectar-byon\.base$|com\.docker\.compose\.|io\.podman\.|PODMAN_SYSTEMD_UNIT$)/,
  /** What an engine gives each end of a network. */
  endpoint: [
    ...['NetworkID', 'EndpointID', 'Gateway', 'IPAddress', 'IPPrefixLen', 'IPv6Gateway', 'GlobalIPv6Address'],
    ...['GlobalIPv6PrefixLen', 'MacAddress'],
  ],
  networkSettings: [
    ...['Networks', 'Ports', 'SandboxID', 'SandboxKey', 'EndpointID', 'Gateway', 'IPAddress', 'IPPrefixLen'],
    ...['IPv6Gateway', 'GlobalIPv6Address', 'GlobalIPv6PrefixLen', 'MacAddress'],
  ],
};
