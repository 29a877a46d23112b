import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { refuseExisting } from '../home-folder.ts';
import { convergeGround } from '../provision/docker/converge.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { fillPrivateVolumes } from '../provision/docker/fill-volumes.ts';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { reachDevnet } from '../provision/docker/reach-devnet.ts';
import { nodeLabel } from '../provision/docker/role-table.ts';
import { undoAbandoned, undoNode } from '../provision/docker/staging.ts';
import { type DockerTarget, writeTarget } from '../provision/docker/target-file.ts';
import { homeError } from '../provision/process/home-error.ts';
import { overwriteAndRemove } from '../provision/process/overwrite.ts';
import { buildAside } from '../provision/staging-folder.ts';
import { type Restored, type RestorePlace, type RestoreRequest, restoreHome } from './backup/restore-home.ts';
import { findImageSet } from './upgrade/image-set.ts';
import { fillDataVolumes } from './volumes/fill-data.ts';

export interface RestoreContainers extends RestoreRequest {
  readonly engine: Engine;
  /** Of this program, whose images are used. */
  readonly version: string;
  /** The folder of this machine's devnet, where there is one. */
  readonly devnet: string;
  /** Takes away what the engine has of the node, once the backup is verified; absent: there must be nothing. */
  readonly replace?: (() => Promise<void>) | undefined;
  /** Fills the folder from which the volumes are filled; absent: from the file. */
  readonly restoreInto?: (place: RestorePlace) => Promise<Restored>;
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
  return buildAside(home, 'staging', async (folder) => {
    let ours = false;
    try {
      const place = { home, into: folder };
      const restored = await (request.restoreInto?.(place) ?? restoreHome({ ...request, ...place }));
      await request.replace?.();
      await refusePresent(engine, restored.header.nodeId);
      ours = true;
      await moveIntoVolumes(request, folder, { nodeId: restored.header.nodeId, images });
      request.signal.throwIfAborted();
      return restored;
    } catch (error) {
      // Without target.json only the folder goes: the objects of that node would not be ours.
      if (ours) await undoNode(folder, engine, {});
      throw homeError(error, home);
    }
  });
}

async function moveIntoVolumes(
  { engine, version, devnet, signal }: RestoreContainers,
  folder: string,
  { nodeId, images }: { readonly nodeId: string; readonly images: DockerTarget['images'] },
): Promise<void> {
  const { kind } = await engine.facts();
  const about = { engine: engine.url, engineKind: kind, nodeId, programVersion: version, images };
  await writeTarget(folder, { version: 1, target: 'docker', state: 'ready', ...about });
  const { spec } = readDockerNode(folder);
  await convergeGround(engine, desiredState(spec), 'all');
  await reachDevnet(engine, { home: folder, devnet, nodeId, signal });
  await fillPrivateVolumes(engine, spec, folder);
  await fillDataVolumes(engine, spec, folder);
  await removePrivate(folder);
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
