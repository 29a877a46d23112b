import { existsSync, readFileSync, statSync } from 'node:fs';
import { createArchivePlace } from '../../hardening/collectors/archive-place.ts';
import { findPublishedBindings } from '../../hardening/collectors/bindings.ts';
import type { Collector } from '../../hardening/collectors/collector.ts';
import { createContainersCollector } from '../../hardening/collectors/container/containers.ts';
import type { ContainerContext } from '../../hardening/collectors/container/inspected.ts';
import { seccompDigest } from '../../hardening/collectors/container/seccomp.ts';
import { createEngineCollector } from '../../hardening/collectors/engine/engine.ts';
import type { EngineApi, EngineNode } from '../../hardening/collectors/engine-api.ts';
import { createFolderPlace } from '../../hardening/collectors/folder-place.ts';
import { createGuestsCollector } from '../../hardening/collectors/guests.ts';
import type { ImageContext } from '../../hardening/collectors/image/image-facts.ts';
import { createImagesCollector } from '../../hardening/collectors/image/images.ts';
import { createNetworksCollector } from '../../hardening/collectors/networks.ts';
import type { NodePlaces, DataVolume as PlacedVolume } from '../../hardening/collectors/node-places.ts';
import type { Place } from '../../hardening/collectors/place.ts';
import { createContainerProcessesCollector } from '../../hardening/collectors/process/processes.ts';
import { createVolumesCollector } from '../../hardening/collectors/volumes.ts';
import { createBody } from '../provision/docker/create-body.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import { type EngineAddress, engineAddress } from '../provision/docker/engine-address.ts';
import { gatewayUrl } from '../provision/docker/gateway-url.ts';
import { type DockerNode, readDockerNode } from '../provision/docker/node-spec.ts';
import {
  CONTAINER_ROLES,
  DATA_VOLUMES,
  type DataVolume,
  KEY_FILE,
  LABELS,
  NODE_HOME,
  OWNER,
  objectName,
  UIDS,
} from '../provision/docker/role-table.ts';
import { createEngineApi } from './engine-api.ts';
import type { OpenCollectors } from './open-collectors.ts';
import { readImageLock } from './sources/image-lock.ts';
import { openNodeApi } from './sources/node-api.ts';
import {
  describeNode,
  expectedListeners,
  keyFilesOf,
  type NodeSource,
  nodeCollectors,
  nothingOf,
} from './sources/node-source.ts';

/** The node's own binary in the images: there is no other program. */
const NODE_BINARY = '/nodejs/bin/node';
const ROOT_UID = 0;

/** A node in four containers of an engine. */
export async function composeDocker(source: NodeSource): Promise<OpenCollectors> {
  const { call, config } = source;
  const { home, terminal } = call;
  const node = readDockerNode(home);
  const address = engineAddress(node.target.engine, terminal.env);
  const engine = createEngineApi(address);
  const gateway = gatewayUrl(node.config.gateway);
  const api = openNodeApi(home, gateway);
  const running = await isRunning(engine, node, terminal.signal);
  // In containers the store has it where the specification mounts it from, on this machine.
  const keyFiles = node.spec.keyFile === undefined ? keyFilesOf(home, config) : [node.spec.keyFile];
  const container = (role: string): string => objectName(node.target.nodeId, role);
  const ofNode = await nodeCollectors(source, {
    ...{ target: 'docker', running, version: node.target.programVersion, api: running ? api : undefined },
    places: placesOf(home, node, engine),
    listeners: expectedListeners(config, {
      ...{ gateway: new URL(gateway), p2pPort: node.config.p2p.listenPort },
    }),
    findBindings: findPublishedBindings(engine, {
      gateway: container('gateway'),
      metrics: container('gateway'),
      p2p: container('rollup'),
    }),
    dataFolder: await dataFolder(engine, node, terminal.signal),
    engineFolder: await engineFolder(engine, terminal.signal),
    inMemory: desiredState(node.spec)
      .volumes.filter(({ options }) => options.type === 'tmpfs')
      .map(({ name }) => name),
    keyFileOwners: [UIDS.store, statSync(home).uid],
    keyFileReaders: UIDS.store,
  });
  return {
    node: describeNode(source, 'docker'),
    collectors: [...ofNode, ...engineCollectors({ api: engine, address, keyFiles, now: () => terminal.now() }, node)],
    async close() {
      await engine.close();
      await api?.close();
    },
  };
}

interface Engine {
  readonly api: EngineApi;
  readonly address: EngineAddress;
  readonly keyFiles: readonly (string | undefined)[];
  readonly now: () => number;
}

function engineCollectors({ api, address, keyFiles, now }: Engine, { home, target, spec }: DockerNode): Collector[] {
  const node: EngineNode = {
    nodeId: target.nodeId,
    prefix: objectName(target.nodeId, ''),
    roles: CONTAINER_ROLES,
    labels: LABELS,
  };
  const perRole = (of: (role: (typeof CONTAINER_ROLES)[number]) => string) =>
    Object.fromEntries(CONTAINER_ROLES.map((role) => [role, of(role)]));
  const { containers } = desiredState(spec);
  const specs = containers.map(({ role, labels }) => [role, labels[LABELS.spec] ?? '']);
  const context: ContainerContext = {
    seccomp: perRole((role) => seccompDigest(JSON.parse(spec.seccomp[role]) as object)),
    readProfile: (path) => readProfile(home, path),
    imageIds: target.images,
    specs: Object.fromEntries(specs),
    bodies: Object.fromEntries(containers.map((container) => [container.role, createBody(container)])),
    keyFileTarget: KEY_FILE,
  };
  return [
    createContainersCollector({ api, node, context }),
    createContainerProcessesCollector({ api, node, nodeBinary: NODE_BINARY }),
    createImagesCollector({ api, node, context: imageContext(target.programVersion, now), imageIds: target.images }),
    createVolumesCollector({ api, node }),
    createNetworksCollector({ api, node }),
    createGuestsCollector({ api, node, home, keyFiles }),
    createEngineCollector({ api, socketPath: address.kind === 'unix' ? address.socketPath : undefined }),
    nothingOf(['workload', 'cluster'], 'this node is not in Kubernetes'),
  ];
}

function imageContext(version: string, now: () => number): ImageContext {
  const lock = readImageLock();
  return { version, now, ...(lock !== undefined && { lock }) };
}

/** Podman names the file that `init` wrote into the home, and no other is read. */
function readProfile(home: string, path: string): string {
  if (!path.startsWith(`${home}/seccomp/`)) throw new Error(`${path} is not below ${home}`);
  return readFileSync(path, 'utf8');
}

function placesOf(home: string, { target }: DockerNode, engine: EngineApi): NodePlaces {
  const place = (volume: DataVolume): Place => {
    const owner = OWNER[volume];
    return createArchivePlace(
      {
        name: volume,
        volume: objectName(target.nodeId, volume),
        container: objectName(target.nodeId, owner ?? 'gateway'),
        mountedAt: `${NODE_HOME}/${volume}`,
        owners: [owner === undefined ? ROOT_UID : UIDS[owner]],
      },
      engine,
    );
  };
  return {
    home: createFolderPlace({ name: 'home', folder: home, owners: [statSync(home).uid] }),
    volumes: Object.fromEntries(DATA_VOLUMES.map((volume) => [volume, place(volume)])) as Record<PlacedVolume, Place>,
  };
}

async function isRunning(engine: EngineApi, { target }: DockerNode, signal: AbortSignal): Promise<boolean> {
  const path = `/containers/${objectName(target.nodeId, 'gateway')}/json`;
  const answer = (await engine.getJson(path, signal)) as { State?: { Running?: unknown } } | undefined;
  return answer?.State?.Running === true;
}

/** Where the engine keeps the store, when that is on this machine and may be looked at. */
async function dataFolder(engine: EngineApi, { target }: DockerNode, signal: AbortSignal): Promise<string | undefined> {
  const path = `/volumes/${objectName(target.nodeId, 'store')}`;
  const answer = (await engine.getJson(path, signal)) as { Mountpoint?: unknown } | undefined;
  const folder = answer?.Mountpoint;
  return typeof folder === 'string' && existsSync(folder) ? folder : undefined;
}

/** The same of everything that the engine keeps. */
async function engineFolder(engine: EngineApi, signal: AbortSignal): Promise<string | undefined> {
  const answer = (await engine.getJson('/info', signal)) as { DockerRootDir?: unknown } | undefined;
  const folder = answer?.DockerRootDir;
  return typeof folder === 'string' && existsSync(folder) ? folder : undefined;
}
