/** A service of a Compose file as its reader sees it. */
export interface Service {
  readonly [key: string]: unknown;
  readonly tmpfs: readonly string[];
  readonly security_opt: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly { type: string; source: string; target: string; read_only: boolean }[];
  readonly healthcheck: { test: string[]; interval: string; timeout: string; start_period: string; retries: number };
  readonly ulimits: Readonly<Record<string, { soft: number; hard: number }>>;
}

const seconds = (text: string): number => Number(text.replace(/s$/, '')) * 1e9;

/** What the Compose specification says that a service becomes, in the words of the Engine API. */
export function bodyOf(service: Service): Record<string, unknown> {
  const { healthcheck } = service;
  return {
    name: service.container_name,
    Hostname: service.hostname,
    Image: service.image,
    User: service.user,
    Entrypoint: service.entrypoint,
    Cmd: service.command,
    WorkingDir: service.working_dir,
    Env: Object.entries(service.environment).map(([name, value]) => `${name}=${value}`),
    Labels: service.labels,
    StopSignal: service.stop_signal,
    StopTimeout: Number(String(service.stop_grace_period).replace('s', '')),
    ExposedPorts: Object.fromEntries((service.ports ?? []).map((text) => [`${text.split(':').at(-1)}/tcp`, {}])),
    Healthcheck: {
      Test: healthcheck.test,
      Interval: seconds(healthcheck.interval),
      Timeout: seconds(healthcheck.timeout),
      StartPeriod: seconds(healthcheck.start_period),
      Retries: healthcheck.retries,
    },
    HostConfig: {
      ReadonlyRootfs: service.read_only,
      CapDrop: service.cap_drop,
      SecurityOpt: service.security_opt.map((text) => text.replace(/^seccomp:/, 'seccomp=')),
      Privileged: service.privileged,
      Init: service.init,
      IpcMode: service.ipc,
      // Compose 1.29 knows no other than the engine's default.
      ...{ CgroupnsMode: 'private' },
      GroupAdd: service.group_add,
      Tmpfs: Object.fromEntries(
        service.tmpfs.map((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]),
      ),
      Memory: service.mem_limit,
      MemorySwap: service.memswap_limit,
      NanoCpus: Number(service.cpus) * 1e9,
      PidsLimit: service.pids_limit,
      Ulimits: Object.entries(service.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
      RestartPolicy: { Name: service.restart },
      LogConfig: { Type: 'json-file', Config: (service.logging as { options: object }).options },
      NetworkMode: service.networks?.[0] ?? service.network_mode,
      PortBindings: Object.fromEntries(
        (service.ports ?? []).map((text) => {
          const [, address, port, inside] = /^(.*):(\d+):(\d+)$/.exec(text) ?? [];
          return [`${inside}/tcp`, [{ HostIp: address?.replace(/^\[(.*)\]$/, '$1'), HostPort: port }]];
        }),
      ),
      Mounts: service.volumes.map(({ type, source, target, read_only }) => ({
        Type: type,
        Source: source,
        Target: target,
        ReadOnly: read_only,
      })),
    },
  };
}
