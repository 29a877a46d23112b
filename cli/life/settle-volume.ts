import { homePaths } from '../../appliance/config/index.ts';
import { type FolderLock, tryLock } from '../../appliance/folder-lock.ts';
import type { MarkedVolume } from '../../appliance/volume-marks.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { NodeSpec } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { runHelper } from '../provision/docker/helper.ts';
import { NODE_HOME, objectName, UIDS } from '../provision/docker/role-table.ts';

/** Works on the folders of a home while no role can start in it. @throws NectarError NODE_HOME_IN_USE */
export async function whileDown(home: string, command: string, work: () => Promise<void>): Promise<void> {
  const locks: FolderLock[] = [];
  try {
    for (const path of homePaths(home).locks('all')) {
      const lock = await tryLock(path, command);
      if (lock === undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
      locks.push(lock);
    }
    await work();
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** A look into a volume that changes nothing. */
export interface VolumeLook {
  readonly volume: MarkedVolume;
  /** A program whose one argument is the folder; it fails where that is not as it must be. */
  readonly program: string;
  /** What that means, of the volume by its name on the engine. */
  readonly refusal: (source: string) => NectarError;
}

/** Looks into a volume of a node in containers. @throws NectarError VOLUME_MISSING (it is gone), and the refusal */
export async function lookIntoVolume(engine: Engine, spec: NodeSpec, look: VolumeLook): Promise<void> {
  const { nodeId, version, images } = spec;
  const { volume } = look;
  const [source, target] = [objectName(nodeId, volume), `${NODE_HOME}/${volume}`];
  try {
    await runHelper(engine, {
      ...{ nodeId, version, image: images[volume], uid: UIDS[volume] },
      mounts: [{ kind: 'volume', source, target, readOnly: true }],
      program: { source: look.program, args: [target] },
    });
  } catch (error) {
    if (!(error instanceof NectarError) || error.code !== 'CLI_CONTAINER_ENDED') throw error;
    throw look.refusal(source);
  }
}
