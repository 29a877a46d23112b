import { isNectarError } from '../../../protocol/errors.ts';
import type { MountSpec } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { runHelper } from './helper.ts';
import { SHRED } from './helper-programs.ts';
import { KEY_FILE, LABELS, NODE_HOME, nodeLabel, objectName, UIDS } from './role-table.ts';

export interface Removal {
  readonly nodeId: string;
  readonly version: string;
  /** With which the keys volume is overwritten; one that is gone leaves the removal alone. */
  readonly storeImage: string;
  /** To be overwritten too. */
  readonly keyFile?: string | undefined;
  readonly say: (text: string) => void;
}

export interface Removed {
  readonly containers: number;
  readonly volumes: number;
  readonly networks: number;
  /** The keys were overwritten before anything was removed. */
  readonly shredded: boolean;
}

/**
 * Removes exactly what bears the node's label. Keys first: whatever interrupts the rest leaves ciphertext that nobody opens. On a
 * copy-on-write file system old blocks may stay: what was in them is a key wrapped by a passphrase or by the key file.
 */
export async function removeNode(engine: Engine, removal: Removal): Promise<Removed> {
  const { nodeId, say } = removal;
  const label = [nodeLabel(nodeId)];
  say('stopping the containers');
  const containers = await engine.containers.list(label);
  for (const { Id, State } of containers) if (State !== 'exited') await engine.containers.remove(Id, { force: true });
  say('overwriting the keys');
  const shredded = await shredKeys(engine, removal).catch((error: unknown) => {
    // A helper that cannot run must not keep the keys alive: removing their volume is still better than leaving them.
    if (isNectarError(error, 'CLI_CONTAINER_ENDED') || isNectarError(error, 'CLI_ENGINE_REFUSED')) return false;
    throw error;
  });
  say('removing containers, volumes and networks');
  for (const { Id } of await engine.containers.list(label)) await engine.containers.remove(Id, { force: true });
  const volumes = await engine.volumes.list(label);
  for (const { Name } of volumes) await engine.volumes.remove(Name);
  const networks = await engine.networks.list(label);
  for (const { Id } of networks) await engine.networks.remove(Id);
  return { containers: containers.length, volumes: volumes.length, networks: networks.length, shredded };
}

async function shredKeys(engine: Engine, { nodeId, version, storeImage, keyFile }: Removal): Promise<boolean> {
  const keys = objectName(nodeId, 'keys');
  const isOurs = (await engine.volumes.find(keys))?.Labels?.[LABELS.node] === nodeId;
  if (!isOurs || (await engine.images.find(storeImage)) === undefined) return false;
  const target = `${NODE_HOME}/keys`;
  const mounts: MountSpec[] = [{ kind: 'volume', source: keys, target, readOnly: false }];
  const paths = [target];
  if (keyFile !== undefined) {
    mounts.push({ kind: 'bind', source: keyFile, target: KEY_FILE, readOnly: false });
    paths.push(KEY_FILE);
  }
  const program = { source: SHRED, args: paths };
  await runHelper(engine, { nodeId, version, image: storeImage, uid: UIDS.store, mounts, program });
  return true;
}
