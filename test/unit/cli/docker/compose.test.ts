import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { composeFile } from '../../../../cli/provision/docker/compose.ts';
import { createBody } from '../../../../cli/provision/docker/create-body.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import type { ContainerBody } from '../../../../cli/provision/docker/engine-containers.ts';
import { exampleSpec } from './node-spec-example.ts';

/** A service of a Compose file as its reader sees it. */
interface Service {
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
function bodyOf(service: Service): Record<string, unknown> {
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

const profile = (role: string): string => `/home/of/node/nectar-${role}.json`;

for (const [name, spec] of [
  ['a node with a key file', exampleSpec()],
  [
    'a node with a passphrase on IPv6, with limits of its own',
    exampleSpec({
      keyFile: undefined,
      gateway: { host: '::1', port: 9000 },
      limits: { rollup: { cpus: 0.5, pids: 99 } },
    }),
  ],
] as const) {
  test(`says the same of ${name} as the Engine API is told`, () => {
    const state = desiredState(spec);
    const document = parse(composeFile(state, profile)) as { services: Record<string, Service> };
    assert.deepEqual(
      Object.keys(document.services),
      state.containers.map(({ role }) => role),
    );
    for (const container of state.containers) {
      const service = document.services[container.role];
      assert.ok(service);
      const ours = createBody(container, { seccomp: profile(container.role) });
      assert.deepEqual(bodyOf(service), JSON.parse(JSON.stringify(ours)) as ContainerBody);
    }
  });
}

test('names volumes and networks as external, so that `down --volumes` takes no key', () => {
  const state = desiredState(exampleSpec());
  const document = parse(composeFile(state, profile)) as Record<
    'volumes' | 'networks',
    Record<string, { external: boolean }>
  >;
  assert.deepEqual(
    Object.keys(document.volumes),
    state.volumes.map(({ name }) => name),
  );
  for (const entry of [...Object.values(document.volumes), ...Object.values(document.networks)])
    assert.equal(entry.external, true);
});
