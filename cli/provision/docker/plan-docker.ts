import type { Terminal } from '../../terminal.ts';
import { defaultPorts } from '../process/default-ports.ts';
import { findFreePort } from '../process/free-port.ts';
import { type HomePlan, type InitAnswers, planHome } from '../process/plan-home.ts';
import type { Engine } from './engine.ts';
import {
  CONTAINER_ROLES,
  type ContainerRole,
  CROSSINGS,
  DATA_VOLUMES,
  DEFAULT_LIMITS,
  NETWORKS,
  UIDS,
} from './role-table.ts';

/** What `init --target docker` would make on the engine; the node id, and with it the names, comes with the keys. */
export interface DockerPlan extends HomePlan {
  readonly engine: string;
  readonly images: Readonly<Record<ContainerRole, { readonly name: string; readonly id: string | undefined }>>;
  readonly objects: readonly (readonly [name: string, what: string])[];
}

const MIB = 1024 * 1024;

export function imageName(role: ContainerRole, version: string): string {
  return `nectar-byon-${role}:${version}`;
}

/** Computing it changes nothing. */
export async function planDocker(
  answers: InitAnswers,
  { engine, version, terminal }: { readonly engine: Engine; readonly version: string; readonly terminal: Terminal },
): Promise<DockerPlan> {
  const isDevnet = answers.network === 'devnet';
  const p2pHost = isDevnet ? '127.0.0.1' : '0.0.0.0';
  const p2pPort = answers.p2pPort ?? (await findFreePort(defaultPorts(terminal.env).p2p, { host: p2pHost }));
  const plan = await planHome({ ...answers, p2pPort }, terminal);
  const images = {} as Record<ContainerRole, { name: string; id: string | undefined }>;
  for (const role of CONTAINER_ROLES) {
    const name = imageName(role, version);
    images[role] = { name, id: idOf((await engine.images.find(name))?.Id) };
  }
  // Peers on the same machine dial what is published there, not the address inside the container.
  const announce = isDevnet ? { announce: [`/ip4/127.0.0.1/tcp/${p2pPort}`] } : {};
  const config = { ...plan.config, p2p: { ...(plan.config.p2p as object), ...announce } };
  return {
    ...plan,
    config,
    files: hostFiles(plan),
    processes: plan.processes.filter((line) => !line.includes('run all')),
    engine: engine.url,
    images,
    objects: plannedObjects(images),
  };
}

/** Docker says `sha256:...`, Podman the digits alone. */
export function idOf(id: string | undefined): string | undefined {
  return id === undefined || id.startsWith('sha256:') ? id : `sha256:${id}`;
}

function hostFiles({ home, files }: HomePlan): HomePlan['files'] {
  const kept = ['config.json', 'network.json', 'identity/', 'tls/', 'client/token'];
  const texts: Readonly<Record<string, string>> = {
    'identity/': 'the public halves of the identities',
    'tls/': 'the certificate of its own CA',
  };
  const shown = files.flatMap(([path, what]): [string, string][] => {
    const name = kept.find((end) => path === `${home}/${end}`);
    if (name !== undefined) return [[path, texts[name] ?? what]];
    return path.startsWith(`${home}/`) ? [] : [[path, what]];
  });
  return [[`${home}/target.json`, 'the engine, the images and the limits of the containers'], ...shown];
}

function plannedObjects(images: DockerPlan['images']): [string, string][] {
  const name = (suffix: string): string => `nectar-<id>-${suffix}`;
  const containers = CONTAINER_ROLES.map((role): [string, string] => {
    const { memoryBytes, cpus, pids } = DEFAULT_LIMITS[role];
    const network = NETWORKS[role] === undefined ? 'no network' : `network ${name(NETWORKS[role])}`;
    const limits = `${memoryBytes / MIB} MiB, ${cpus} CPU, ${pids} processes`;
    return [name(role), `container of ${images[role].name}, user ${UIDS[role]}, ${network}, at most ${limits}`];
  });
  return [
    ...containers,
    ...DATA_VOLUMES.map((volume): [string, string] => [name(volume), 'volume']),
    ...CROSSINGS.map((crossing): [string, string] => [name(`sock-${crossing}`), 'volume of sockets, in memory']),
    ...CONTAINER_ROLES.map((role): [string, string] => [
      name(`health-${role}`),
      'volume of its health socket, in memory',
    ]),
    ...(['lan', 'wan'] as const).map((network): [string, string] => [name(network), 'network']),
  ];
}
