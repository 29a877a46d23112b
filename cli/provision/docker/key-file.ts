import { stat } from 'node:fs/promises';
import { NectarError } from '../../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import type { VolumeAccess } from './fill-volumes.ts';
import { type HelperProgram, type HelperRequest, runHelper } from './helper.ts';
import { GIVE_FILE, LET_READ } from './helper-programs.ts';
import { KEY_FILE, UIDS } from './role-table.ts';

/** As LET_READ leaves it. */
const SHARED = 0o440;

/** Gives the key file to the user of this command, alone: of a node that is gone, for its backups. */
export async function giveKeyFileBack(engine: Engine, access: VolumeAccess, keyFile: string): Promise<void> {
  const args = [String(await adminUid(engine)), KEY_FILE];
  await runHelper(engine, keyFileHelper(access, keyFile, { source: GIVE_FILE, args }));
}

/** Gives the key file to the store's user, alone: to be overwritten by it. */
export function takeKeyFile(engine: Engine, access: VolumeAccess, keyFile: string): Promise<void> {
  return runHelper(engine, keyFileHelper(access, keyFile, { source: GIVE_FILE, args: [String(UIDS.store), KEY_FILE] }));
}

/**
 * Lets the store read the key file, by its group; who owns it still reads it, to keep a copy and to open backups. One that belonged to
 * the store alone, as in former versions, becomes that of the user of this command.
 *
 * @throws NectarError CLI_KEY_FILE_OWNER
 */
export async function giveKeyFile(engine: Engine, access: VolumeAccess, keyFile: string): Promise<void> {
  const args = [String(UIDS.store), String(await adminUid(engine)), KEY_FILE];
  try {
    await runHelper(engine, keyFileHelper(access, keyFile, { source: LET_READ, args }));
  } catch (error) {
    if (!(error instanceof NectarError) || error.code !== 'CLI_CONTAINER_ENDED') throw error;
    const reason = (error.data as { reason: string }).reason;
    throw new NectarError('CLI_KEY_FILE_OWNER', { path: keyFile, uid: UIDS.store, reason }, { cause: error });
  }
}

/** Whether the store may read it, and its owner too. What cannot be looked at from here is given again. */
export async function isGivenKeyFile(keyFile: string): Promise<boolean> {
  const found = await stat(keyFile).catch(() => undefined);
  return found !== undefined && found.uid !== UIDS.store && found.gid === UIDS.store && (found.mode & 0o777) === SHARED;
}

/** In the containers of an engine without root, root is the user that runs it. */
async function adminUid(engine: Engine): Promise<number> {
  return (await engine.facts()).rootless ? 0 : (process.getuid?.() ?? 0);
}

function keyFileHelper(
  { nodeId, version, images }: VolumeAccess,
  keyFile: string,
  program: HelperProgram,
): HelperRequest {
  return {
    ...{ nodeId, version, image: images.store, uid: 0, program },
    mounts: [{ kind: 'bind', source: keyFile, target: KEY_FILE, readOnly: false }],
    capabilities: ['CHOWN', 'FOWNER'],
  };
}
