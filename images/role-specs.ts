import type { TarEntry } from './tar.ts';

export const ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;
export type ImageRole = (typeof ROLES)[number];

export interface RoleSpec {
  readonly uid: number;
  readonly title: string;
  /** Volumes of its own, below /nectar. */
  readonly volumes: readonly string[];
  /** Sockets that it serves, and sockets of others that it calls, below /run/nectar (docs/design/0002-containers.md). */
  readonly serves: readonly string[];
  readonly calls: readonly string[];
}

/** The group of the socket directories: a server's own, its clients' by membership. */
export const GROUP = 64000;

export const ROLE_SPECS: Readonly<Record<ImageRole, RoleSpec>> = {
  gateway: {
    uid: 64001,
    title: "the owner's HTTPS API",
    volumes: ['gateway'],
    serves: [],
    calls: ['audit-append', 'audit-read', 'store', 'rollup'],
  },
  store: {
    uid: 64002,
    title: 'the encrypted blob store and the secret boundary',
    volumes: ['keys', 'store'],
    serves: ['store', 'blocks'],
    calls: ['audit-append', 'audit-keys'],
  },
  audit: {
    uid: 64003,
    title: 'the tamper-evident audit log',
    volumes: ['audit'],
    serves: ['audit-append', 'audit-read', 'audit-keys'],
    calls: [],
  },
  rollup: {
    uid: 64004,
    title: 'the rollup full node and the p2p host',
    volumes: ['rollup'],
    serves: ['rollup'],
    calls: ['audit-append', 'blocks'],
  },
};

/** The user as an image configuration names it: numbers, since an orchestrator cannot prove that a name is not root. */
export function userOf(role: ImageRole): string {
  return `${ROLE_SPECS[role].uid}:${ROLE_SPECS[role].uid}`;
}

export function serverOf(socket: string): ImageRole {
  const role = ROLES.find((name) => ROLE_SPECS[name].serves.includes(socket));
  if (role === undefined) throw new Error(`no role serves the socket ${socket}`);
  return role;
}

/**
 * Where volumes are mounted, with the owners and modes that an engine gives to a new, empty volume mounted there. So nobody has
 * to be root, in a container or on the host, to prepare them.
 */
export function mountPoints(role: ImageRole): TarEntry[] {
  const spec = ROLE_SPECS[role];
  const sockets = [...spec.serves, ...spec.calls].map((socket): TarEntry => {
    const { uid } = ROLE_SPECS[serverOf(socket)];
    return { kind: 'directory', path: `run/nectar/${socket}`, mode: 0o2770, uid, gid: GROUP };
  });
  const own = (path: string): TarEntry => ({ kind: 'directory', path, mode: 0o700, uid: spec.uid, gid: spec.uid });
  return [
    { kind: 'directory', path: 'nectar/config', mode: 0o755 },
    ...spec.volumes.map((volume) => own(`nectar/${volume}`)),
    own('run/nectar/health'),
    ...sockets,
  ];
}
