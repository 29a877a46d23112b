import { createHash } from 'node:crypto';
import {
  CONTAINER_ROLES,
  type ContainerRole,
  CROSSINGS,
  DATA_VOLUMES,
  DEFAULT_LIMITS,
  GATEWAY_PORT,
  KEY_FILE,
  type KeptVolume,
  LABELS,
  type Limits,
  METRICS_PORT,
  NETWORKS,
  NODE_HOME,
  OWNER,
  objectName,
  P2P_PORT,
  SOCKET_GID,
  SOCKETS,
  SOCKETS_FOLDER,
  UIDS,
} from './role-table.ts';

export interface NodeSpec {
  readonly nodeId: string;
  /** Of the program in the images. */
  readonly version: string;
  /** Image ids: a tag may move, an id may not. */
  readonly images: Readonly<Record<ContainerRole, string>>;
  /** The seccomp profile of each role, as JSON text. */
  readonly seccomp: Readonly<Record<ContainerRole, string>>;
  /** Digest of what of the configuration each role reads: another one restarts that role. */
  readonly configDigests: Readonly<Record<ContainerRole, string>>;
  readonly gateway: PublishedAt;
  readonly p2p: PublishedAt;
  /** undefined: the metrics are not published; whoever has a token reads them at the gateway. */
  readonly metrics?: PublishedAt | undefined;
  /** On the engine's machine; undefined: opened by passphrase. */
  readonly keyFile?: string | undefined;
  readonly limits?: Partial<Readonly<Record<ContainerRole, Partial<Limits>>>> | undefined;
}

export interface PublishedAt {
  readonly host: string;
  readonly port: number;
}

export interface NetworkSpec {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VolumeSpec {
  readonly name: string;
  /** What is in it was put there once and cannot be made again; undefined: whatever a start needs is made anew. */
  readonly keeps: KeptVolume | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the local driver: socket directories are a tmpfs, so that no stale socket survives. */
  readonly options: Readonly<Record<string, string>>;
}

export interface MountSpec {
  readonly kind: 'volume' | 'bind';
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PortSpec extends PublishedAt {
  readonly containerPort: number;
}

/** A container in our own words; `createBody` and `composeFile` say the same in the engine's and in Compose's. */
export interface ContainerSpec {
  readonly role: ContainerRole;
  readonly name: string;
  readonly hostname: string;
  readonly image: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: no network at all. */
  readonly network: string | undefined;
  readonly ports: readonly PortSpec[];
  readonly mounts: readonly MountSpec[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly seccomp: string;
  readonly stopTimeoutS: number;
  readonly health: {
    readonly test: readonly string[];
    readonly intervalS: number;
    readonly timeoutS: number;
    readonly startPeriodS: number;
    readonly retries: number;
  };
  readonly log: { readonly maxSize: string; readonly maxFiles: number };
}

export interface DesiredState {
  readonly nodeId: string;
  readonly version: string;
  readonly networks: readonly NetworkSpec[];
  readonly volumes: readonly VolumeSpec[];
  /** In the order in which they start. */
  readonly containers: readonly ContainerSpec[];
}

export const PROGRAM = ['/nodejs/bin/node', '/app/main.mjs'] as const;
/** Shorter than the gateway's drain plus a last flush would be a crash at every stop. */
const STOP_TIMEOUT_S = 30;
/** Each check is a start of Node in each of four roles, for ever: as seldom as still tells of one that hangs within a minute. */
const HEALTH = { intervalS: 25, timeoutS: 5, startPeriodS: 30, retries: 2 } as const;
const LOG = { maxSize: '10m', maxFiles: 3 } as const;
const TMPFS = 'rw,noexec,nosuid,nodev';

/** Everything that a node is on an engine. Pure: the same node gives the same objects. */
export function desiredState(node: NodeSpec): DesiredState {
  return {
    nodeId: node.nodeId,
    version: node.version,
    networks: (['lan', 'wan'] as const).map((name) => ({
      name: objectName(node.nodeId, name),
      labels: labels(node, name),
    })),
    volumes: [
      ...DATA_VOLUMES.map((name) => ({
        name: objectName(node.nodeId, name),
        keeps: name === 'config' ? undefined : name,
        labels: labels(node, OWNER[name] ?? 'config'),
        options: {},
      })),
      ...CROSSINGS.map((crossing) => ({
        name: objectName(node.nodeId, `sock-${crossing}`),
        keeps: undefined,
        labels: labels(node, SOCKETS[crossing].server),
        options: memoryOptions(`uid=${UIDS[SOCKETS[crossing].server]},gid=${SOCKET_GID},mode=2770`),
      })),
      // Volumes too, since Podman's tmpfs mounts take no owner.
      ...CONTAINER_ROLES.map((role) => ({
        name: objectName(node.nodeId, `health-${role}`),
        keeps: undefined,
        labels: labels(node, role),
        options: memoryOptions(`uid=${UIDS[role]},gid=${UIDS[role]},mode=0700`),
      })),
    ],
    containers: CONTAINER_ROLES.map((role) => container(role, node)),
  };
}

/**
 * setgid: a socket made in it has the common group, whoever made it. No size (Podman takes one for a disk quota): what a server
 * writes there counts against its own memory limit, and its clients cannot write.
 */
function memoryOptions(owner: string): Record<string, string> {
  return { type: 'tmpfs', device: 'tmpfs', o: `${owner},noexec,nosuid,nodev` };
}

function container(role: ContainerRole, node: NodeSpec): ContainerSpec {
  const uid = UIDS[role];
  const network = NETWORKS[role];
  const unlabelled = {
    role,
    name: objectName(node.nodeId, role),
    hostname: role,
    image: node.images[role],
    user: `${uid}:${uid}`,
    groups: [String(SOCKET_GID)],
    entrypoint: PROGRAM,
    command: ['run', role, '--home', NODE_HOME],
    environment: { NECTAR_SOCKETS: SOCKETS_FOLDER },
    network: network === undefined ? undefined : objectName(node.nodeId, network),
    ports: ports(role, node),
    mounts: mounts(role, node),
    tmpfs: { '/tmp': `${TMPFS},size=16m,mode=1777` },
    limits: { ...DEFAULT_LIMITS[role], ...node.limits?.[role] },
    seccomp: node.seccomp[role],
    stopTimeoutS: STOP_TIMEOUT_S,
    health: { test: ['CMD', ...PROGRAM, 'healthcheck', role, '--home', NODE_HOME], ...HEALTH },
    log: LOG,
  };
  const spec = specDigest({ ...unlabelled, config: node.configDigests[role] });
  return { ...unlabelled, labels: { ...labels(node, role), [LABELS.spec]: spec } };
}

function ports(role: ContainerRole, { gateway, metrics, p2p }: NodeSpec): PortSpec[] {
  if (role === 'gateway') {
    const published = metrics === undefined ? [] : [{ ...metrics, containerPort: METRICS_PORT }];
    return [{ ...gateway, containerPort: GATEWAY_PORT }, ...published];
  }
  if (role === 'rollup') return [{ ...p2p, containerPort: P2P_PORT }];
  return [];
}

function mounts(role: ContainerRole, { nodeId, keyFile }: NodeSpec): MountSpec[] {
  const volume = (name: string, target: string, readOnly = false): MountSpec => ({
    kind: 'volume',
    source: objectName(nodeId, name),
    target,
    readOnly,
  });
  return [
    volume('config', `${NODE_HOME}/config`, true),
    ...DATA_VOLUMES.filter((name) => OWNER[name] === role).map((name) => volume(name, `${NODE_HOME}/${name}`)),
    volume(`health-${role}`, `${SOCKETS_FOLDER}/health`),
    // A client too: connecting to a socket needs write permission on the socket, not on the directory.
    ...CROSSINGS.filter((crossing) => SOCKETS[crossing].server === role).map((crossing) =>
      volume(`sock-${crossing}`, `${SOCKETS_FOLDER}/${crossing}`),
    ),
    ...CROSSINGS.filter((crossing) => SOCKETS[crossing].clients.includes(role)).map((crossing) =>
      volume(`sock-${crossing}`, `${SOCKETS_FOLDER}/${crossing}`, true),
    ),
    ...(role === 'store' && keyFile !== undefined
      ? [{ kind: 'bind', source: keyFile, target: KEY_FILE, readOnly: true } as const]
      : []),
  ];
}

function labels({ nodeId, version }: Pick<NodeSpec, 'nodeId' | 'version'>, role: string): Record<string, string> {
  return { [LABELS.node]: nodeId, [LABELS.role]: role, [LABELS.version]: version };
}

function specDigest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
