/** What 0002 says of the four containers: users, volumes, sockets. The mount is the permission. */
export const CONTAINER_ROLES = ['audit', 'store', 'rollup', 'gateway'] as const;
export type ContainerRole = (typeof CONTAINER_ROLES)[number];

/** One user per role; the group is that of the socket directories, where both ends of a crossing meet. */
export const UIDS: Readonly<Record<ContainerRole, number>> = {
  gateway: 64001,
  store: 64002,
  audit: 64003,
  rollup: 64004,
};
export const SOCKET_GID = 64000;

/** Volumes that outlive every container, with the role that owns each; `config` belongs to root and nobody writes it. */
export const DATA_VOLUMES = ['config', 'keys', 'store', 'audit', 'rollup', 'gateway'] as const;
export type DataVolume = (typeof DATA_VOLUMES)[number];
/** Those that hold what nothing else has. */
export type KeptVolume = Exclude<DataVolume, 'config'>;

export const OWNER: Readonly<Record<DataVolume, ContainerRole | undefined>> = {
  config: undefined,
  keys: 'store',
  store: 'store',
  audit: 'audit',
  rollup: 'rollup',
  gateway: 'gateway',
};

export const CROSSINGS = ['audit-append', 'audit-read', 'audit-keys', 'store', 'blocks', 'rollup'] as const;
export type Crossing = (typeof CROSSINGS)[number];

interface Ends {
  /** Listens; owns the directory. */
  readonly server: ContainerRole;
  readonly clients: readonly ContainerRole[];
}

export const SOCKETS: Readonly<Record<Crossing, Ends>> = {
  'audit-append': { server: 'audit', clients: ['gateway', 'store', 'rollup'] },
  'audit-read': { server: 'audit', clients: ['gateway'] },
  'audit-keys': { server: 'audit', clients: ['store'] },
  store: { server: 'store', clients: ['gateway'] },
  blocks: { server: 'store', clients: ['rollup'] },
  rollup: { server: 'rollup', clients: ['gateway'] },
};

/** Networks by role: none means the `none` network, not even loopback to the outside. */
export const NETWORKS: Readonly<Record<ContainerRole, 'lan' | 'wan' | undefined>> = {
  gateway: 'lan',
  rollup: 'wan',
  store: undefined,
  audit: undefined,
};

/** Ports inside the containers; what the host shows is the owner's choice. */
export const GATEWAY_PORT = 8443;
export const P2P_PORT = 4640;
export const METRICS_PORT = 9464;

export const NODE_HOME = '/nectar';
export const SOCKETS_FOLDER = '/run/nectar';
export const KEY_FILE = '/run/secrets/root-key';
/** Certificates of the site's own authorities (`rollup.caFile`), in the config volume. */
export const AUTHORITIES = 'authorities.pem';

export interface Limits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  readonly openFiles: number;
}

const MIB = 1024 * 1024;

/** Twice to four times what a busy node was seen to take; target.json changes them. */
export const DEFAULT_LIMITS: Readonly<Record<ContainerRole, Limits>> = {
  gateway: { memoryBytes: 384 * MIB, cpus: 1, pids: 64, openFiles: 16_384 },
  store: { memoryBytes: 512 * MIB, cpus: 2, pids: 64, openFiles: 16_384 },
  audit: { memoryBytes: 256 * MIB, cpus: 1, pids: 64, openFiles: 16_384 },
  rollup: { memoryBytes: 1024 * MIB, cpus: 2, pids: 64, openFiles: 16_384 },
};

export const LABELS = {
  node: 'org.nectar-byon.node',
  role: 'org.nectar-byon.role',
  version: 'org.nectar-byon.version',
  /** SHA-256 of the specification that an object was made from: another one means that it is made again. */
  spec: 'org.nectar-byon.spec',
} as const;

export function nodeLabel(nodeId: string): string {
  return `${LABELS.node}=${nodeId}`;
}

export function objectName(nodeId: string, name: string): string {
  return `nectar-${nodeId.slice(0, 8)}-${name}`;
}
