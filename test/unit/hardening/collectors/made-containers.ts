import { readFileSync } from 'node:fs';
import { createBody } from '../../../../cli/provision/docker/create-body.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { CONTAINER_ROLES, type ContainerRole } from '../../../../cli/provision/docker/role-table.ts';
import { IMAGE_ENVIRONMENT } from '../../../../hardening/collectors/container/drift-rules.ts';

export const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
export const each = <T>(of: (role: ContainerRole) => T): Record<ContainerRole, T> =>
  Object.fromEntries(CONTAINER_ROLES.map((role) => [role, of(role)])) as Record<ContainerRole, T>;

export const NODE_ID = `1f2e3d4c${'0'.repeat(24)}`;
export const seccomp = each((role) => read(`../../../../images/seccomp/nectar-${role}.json`));
export const state = desiredState({
  nodeId: NODE_ID,
  version: '0.1.0',
  images: each((role) => `sha256:${Buffer.from(role).toString('hex').padEnd(64, '0')}`),
  seccomp,
  configDigests: each(() => 'x'),
  gateway: { host: '127.0.0.1', port: 24_334 },
  p2p: { host: '127.0.0.1', port: 24_335 },
  keyFile: '/srv/keys/clinic.key',
});
export const bodies = Object.fromEntries(state.containers.map((spec) => [spec.role, createBody(spec)]));

export interface Inspection {
  [section: string]: unknown;
  Config: Record<string, unknown>;
  HostConfig: Record<string, unknown>;
  Mounts: Record<string, unknown>[];
  NetworkSettings: { Networks: Record<string, Record<string, unknown>>; [field: string]: unknown };
}

/** What an engine answers of a container that it made of the program's own body, with all fields that a recorded one has. */
export function inspection(role: ContainerRole, body: object | undefined = bodies[role]): Inspection {
  // As it comes: nothing in it is shared.
  return JSON.parse(JSON.stringify(answerOf(role, body))) as Inspection;
}

function answerOf(role: ContainerRole, made: object | undefined): Inspection {
  const recorded = JSON.parse(read('./recorded/docker-gateway.json')) as Inspection;
  const body = JSON.parse(JSON.stringify(made)) as {
    HostConfig: Record<string, unknown>;
    [field: string]: unknown;
  };
  const { HostConfig, name: _name, Env, Labels, ...config } = body;
  const mode = String(HostConfig.NetworkMode);
  const network = Object.values(recorded.NetworkSettings.Networks)[0] ?? {};
  const mounts = HostConfig.Mounts as { Type: string; Source: string; Target: string; ReadOnly: boolean }[];
  return {
    ...recorded,
    Image: body.Image,
    Config: {
      ...recorded.Config,
      ...config,
      Env: [...(Env as string[]), ...IMAGE_ENVIRONMENT.filter((entry) => !(Env as string[]).includes(entry))],
      Labels: { ...(recorded.Config.Labels as object), ...(Labels as object) },
    },
    HostConfig: { ...recorded.HostConfig, ...HostConfig },
    Mounts: mounts.map(({ Type, Source, Target, ReadOnly }) => ({
      ...{ Type, Destination: Target, Driver: Type === 'volume' ? 'local' : '', Mode: 'z', RW: !ReadOnly },
      ...(Type === 'volume' ? { Name: Source, Source: `/var/lib/docker/volumes/${Source}/_data` } : { Source }),
      Propagation: Type === 'volume' ? '' : 'rprivate',
    })),
    NetworkSettings: {
      ...recorded.NetworkSettings,
      Networks: { [mode]: { ...network, Aliases: ['d04a5cd346b2', role] } },
      Ports: HostConfig.PortBindings,
    },
  };
}
