import { stringify } from 'yaml';
import { ulimits } from './create-body.ts';
import type { ContainerSpec, DesiredState } from './desired-state.ts';

const HEADER = `# Written by \`nectar-byon up --emit compose\`. Volumes and networks are made by \`nectar-byon init\` and named as external, so that
# no \`down --volumes\` takes the keys and records of a node with it. Do not edit: change config.json or target.json, and write it anew.
# With cgroup v1 an engine shares the host's cgroup namespace unless "default-cgroupns-mode": "private" is in its daemon.json
# (BYON-CTR-023): Compose 1.29 has no word for it.
`;

/** The containers of a node as a Compose file (Compose specification; also docker-compose 1.29). Pure. */
export function composeFile(state: DesiredState, seccompPath: (role: string) => string): string {
  const external = ({ name }: { name: string }): [string, object] => [name, { external: true, name }];
  const document = {
    version: '2.4',
    services: Object.fromEntries(state.containers.map((spec) => [spec.role, service(spec, seccompPath(spec.role))])),
    networks: Object.fromEntries(state.networks.map(external)),
    volumes: Object.fromEntries(state.volumes.map(external)),
  };
  return HEADER + stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function service(spec: ContainerSpec, seccomp: string): object {
  const { health, limits, log } = spec;
  return {
    container_name: spec.name,
    hostname: spec.hostname,
    image: spec.image,
    user: spec.user,
    group_add: spec.groups,
    entrypoint: spec.entrypoint,
    command: spec.command,
    working_dir: '/',
    environment: spec.environment,
    labels: spec.labels,
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true', `seccomp:${seccomp}`],
    privileged: false,
    init: false,
    ipc: 'private',
    tmpfs: Object.entries(spec.tmpfs).map(([path, options]) => `${path}:${options}`),
    mem_limit: limits.memoryBytes,
    memswap_limit: limits.memoryBytes,
    cpus: limits.cpus,
    pids_limit: limits.pids,
    ulimits: Object.fromEntries(
      ulimits(limits.openFiles).map(({ Name, Soft, Hard }) => [Name, { soft: Soft, hard: Hard }]),
    ),
    restart: 'unless-stopped',
    stop_signal: 'SIGTERM',
    stop_grace_period: `${spec.stopTimeoutS}s`,
    logging: { driver: 'json-file', options: { 'max-size': log.maxSize, 'max-file': String(log.maxFiles) } },
    ...(spec.network === undefined ? { network_mode: 'none' } : { networks: [spec.network] }),
    ...(spec.ports.length > 0 && {
      ports: spec.ports.map(({ host, port, containerPort }) => `${bracketed(host)}:${port}:${containerPort}`),
    }),
    volumes: spec.mounts.map(({ kind, source, target, readOnly }) => ({
      type: kind,
      source,
      target,
      read_only: readOnly,
    })),
    healthcheck: {
      test: health.test,
      interval: `${health.intervalS}s`,
      timeout: `${health.timeoutS}s`,
      start_period: `${health.startPeriodS}s`,
      retries: health.retries,
    },
  };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
