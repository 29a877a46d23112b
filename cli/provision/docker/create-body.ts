import type { ContainerSpec, NetworkSpec, VolumeSpec } from './desired-state.ts';
import type { ContainerBody } from './engine-containers.ts';

const SECOND_NS = 1_000_000_000;
const CPU_NANOS = 1_000_000_000;

/** The default with cgroup v2 only. dockerode's types do not know it yet; Compose 1.29 has no word for it. */
const OWN_CGROUPS = { CgroupnsMode: 'private' } as const;

/** How an engine takes a seccomp profile: Docker as its JSON text, Podman as the path of a file on its machine. */
export interface BodyOptions {
  readonly seccomp: string;
}

/** A container's specification in the words of the Engine API. */
export function createBody(spec: ContainerSpec, { seccomp }: BodyOptions = spec): ContainerBody {
  const { health, limits, log } = spec;
  return {
    name: spec.name,
    Hostname: spec.hostname,
    Image: spec.image,
    User: spec.user,
    Entrypoint: [...spec.entrypoint],
    Cmd: [...spec.command],
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels },
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    StopTimeout: spec.stopTimeoutS,
    ExposedPorts: Object.fromEntries(spec.ports.map(({ containerPort }) => [`${containerPort}/tcp`, {}])),
    Healthcheck: {
      Test: [...health.test],
      Interval: health.intervalS * SECOND_NS,
      Timeout: health.timeoutS * SECOND_NS,
      StartPeriod: health.startPeriodS * SECOND_NS,
      Retries: health.retries,
    },
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true', `seccomp=${seccomp}`],
      Privileged: false,
      Init: false,
      IpcMode: 'private',
      ...OWN_CGROUPS,
      GroupAdd: [...spec.groups],
      Tmpfs: { ...spec.tmpfs },
      Memory: limits.memoryBytes,
      // As much as the memory: none of it is ever swapped out, keys in it least of all.
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * CPU_NANOS),
      PidsLimit: limits.pids,
      Ulimits: ulimits(limits.openFiles),
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': log.maxSize, 'max-file': String(log.maxFiles) } },
      NetworkMode: spec.network ?? 'none',
      PortBindings: Object.fromEntries(
        spec.ports.map(({ host, port, containerPort }) => [
          `${containerPort}/tcp`,
          [{ HostIp: host, HostPort: String(port) }],
        ]),
      ),
      Mounts: spec.mounts.map(({ kind, source, target, readOnly }) => ({
        Type: kind,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })) as never,
    },
  };
}

/** `nproc` counts all of a user's processes on the machine, of every node there: the limit of one container is PidsLimit. */
const MAX_USER_PROCESSES = 4096;

export function ulimits(openFiles: number): { Name: string; Soft: number; Hard: number }[] {
  return [
    // A core dump is the memory of a role: keys and open records.
    { Name: 'core', Soft: 0, Hard: 0 },
    { Name: 'nofile', Soft: openFiles, Hard: openFiles },
    { Name: 'nproc', Soft: MAX_USER_PROCESSES, Hard: MAX_USER_PROCESSES },
  ];
}

export function volumeBody({ name, labels, options }: VolumeSpec): {
  Name: string;
  Labels: Record<string, string>;
  DriverOpts: Record<string, string>;
} {
  return { Name: name, Labels: { ...labels }, DriverOpts: { ...options } };
}

/** Containers of one node meet through sockets only, never over a network: no traffic between them, not even on theirs. */
export function networkBody({ name, labels }: NetworkSpec): {
  Name: string;
  Driver: string;
  CheckDuplicate: boolean;
  Labels: Record<string, string>;
  Options: Record<string, string>;
} {
  return {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Labels: { ...labels },
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
  };
}
