import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publish } from '../../appliance/durable-file.ts';
import { NectarError } from '../../protocol/errors.ts';
import { refuseExisting } from '../home-folder.ts';
import { convergeGround } from '../provision/docker/converge.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { fillPrivateVolumes } from '../provision/docker/fill-volumes.ts';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { reachDevnet } from '../provision/docker/reach-devnet.ts';
import { nodeLabel } from '../provision/docker/role-table.ts';
import { stagingHome, undoAbandoned, undoNode } from '../provision/docker/staging.ts';
import { writeTarget } from '../provision/docker/target-file.ts';
import { overwriteAndRemove } from '../provision/process/overwrite.ts';
import { type Restored, type RestoreRequest, restoreHome } from './backup/restore-home.ts';
import { findImageSet } from './upgrade/image-set.ts';
import { fillDataVolumes } from './volumes/fill-data.ts';

export interface RestoreContainers extends RestoreRequest {
  readonly engine: Engine;
  /** Of this program, whose images are used. */
  readonly version: string;
  /** The folder of this machine's devnet, where there is one. */
  readonly devnet: string;
  /** Makes the home from which the volumes are filled; absent: from the file. */
  readonly restoreInto?: (home: string) => Promise<Restored>;
}

const PRIVATE_FILES = ['keys.json', 'tokens.json', 'tls/server.key', 'tls/server.crt'];
const MOVED_FOLDERS = ['store', 'audit', 'anchor', 'logs'];

/**
 * Restores a backup into containers: first a home beside its place, verified as for a process, then from there into fresh volumes. It needs
 * room for both for a while. A failure takes away what was made, and touches nothing of a node that is there already.
 */
export async function restoreContainers(request: RestoreContainers): Promise<Restored> {
  const { home, engine, version } = request;
  refuseExisting(home);
  const { images } = await findImageSet(engine, version);
  await undoAbandoned(home, engine);
  const staging = stagingHome(home);
  let ours = false;
  try {
    const restored = await (request.restoreInto?.(staging) ?? restoreHome({ ...request, home: staging }));
    const { nodeId } = restored.header;
    await refusePresent(engine, nodeId);
    ours = true;
    const { kind } = await engine.facts();
    const about = { engine: engine.url, engineKind: kind, nodeId, programVersion: version, images };
    await writeTarget(staging, { version: 1, target: 'docker', state: 'ready', ...about });
    const { spec } = readDockerNode(staging);
    await convergeGround(engine, desiredState(spec));
    const { devnet, signal } = request;
    await reachDevnet(engine, { home: staging, devnet, nodeId, signal });
    await fillPrivateVolumes(engine, spec, staging);
    await fillDataVolumes(engine, spec, staging);
    await removePrivate(staging);
    request.signal.throwIfAborted();
    await publish(staging, home);
    return restored;
  } catch (error) {
    // Without target.json it removes the folder alone: the objects of that node would not be ours.
    if (!ours) await rm(staging, { recursive: true, force: true });
    else await undoNode(staging, engine, {});
    throw error;
  }
}

/** Two nodes of one identity would overwrite each other's volumes, and sign as one. */
async function refusePresent(engine: Engine, nodeId: string): Promise<void> {
  const labels = [nodeLabel(nodeId)];
  const found = (await engine.containers.list(labels)).length + (await engine.volumes.list(labels)).length;
  if (found > 0) throw new NectarError('BACKUP_NODE_PRESENT', { nodeId, engine: engine.url });
}

async function removePrivate(home: string): Promise<void> {
  const identity = join(home, 'identity');
  const sealed = (await readdir(identity)).filter((name) => name.endsWith('.sealed'));
  for (const path of PRIVATE_FILES) await overwriteAndRemove(join(home, path));
  for (const name of sealed) await overwriteAndRemove(join(identity, name));
  for (const name of MOVED_FOLDERS) await rm(join(home, name), { recursive: true, force: true });
}
