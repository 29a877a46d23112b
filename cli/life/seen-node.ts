import type { PublishedAt } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import type { ContainerState } from '../provision/docker/engine-containers.ts';
import { ownedBy } from '../provision/docker/owned.ts';
import { idOf } from '../provision/docker/plan-docker.ts';
import {
  CONTAINER_ROLES,
  type ContainerRole,
  GATEWAY_PORT,
  KEY_FILE,
  LABELS,
  METRICS_PORT,
  objectName,
  P2P_PORT,
} from '../provision/docker/role-table.ts';
import type { DockerTarget } from '../provision/docker/target-file.ts';
import { findImageSet } from './upgrade/image-set.ts';

/** What the containers of a node tell of it, running or not. */
export interface SeenNode {
  readonly programVersion: string;
  readonly images: DockerTarget['images'];
  readonly published: {
    readonly gateway: PublishedAt | undefined;
    readonly p2p: PublishedAt | undefined;
    readonly metrics: PublishedAt | undefined;
  };
  /** On the engine's machine. */
  readonly keyFile: string | undefined;
}

/** A container that is gone tells nothing; without all four the images are those of the program. @throws NectarError CLI_IMAGE_MISSING */
export async function readSeenNode(
  engine: Engine,
  nodeId: string,
  { version }: { readonly version: string },
): Promise<SeenNode> {
  const owned = ownedBy(nodeId, engine);
  const found: Partial<Record<ContainerRole, ContainerState>> = {};
  for (const role of CONTAINER_ROLES) {
    const one = await owned.container(objectName(nodeId, role));
    if (one !== undefined) found[role] = one;
  }
  const seen = CONTAINER_ROLES.map((role) => [role, idOf(found[role]?.Image)] as const);
  const whole = seen.every(([, id]) => id !== undefined);
  const images = whole
    ? (Object.fromEntries(seen) as DockerTarget['images'])
    : (await findImageSet(engine, version)).images;
  return {
    images,
    programVersion: whole ? (found.store?.Config.Labels[LABELS.version] ?? version) : version,
    published: {
      gateway: publishedAt(found.gateway, GATEWAY_PORT),
      p2p: publishedAt(found.rollup, P2P_PORT),
      metrics: publishedAt(found.gateway, METRICS_PORT),
    },
    keyFile: found.store?.Mounts.find(({ Destination }) => Destination === KEY_FILE)?.Source,
  };
}

function publishedAt(container: ContainerState | undefined, containerPort: number): PublishedAt | undefined {
  const bindings = container?.HostConfig.PortBindings as
    | Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
    | null
    | undefined;
  const [binding] = bindings?.[`${containerPort}/tcp`] ?? [];
  const port = Number(binding?.HostPort);
  if (binding === undefined || !Number.isInteger(port) || port < 1) return undefined;
  return { host: binding.HostIp || '0.0.0.0', port };
}
