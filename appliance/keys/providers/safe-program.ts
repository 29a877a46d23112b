import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import { refuseInsideHome } from './secret-file.ts';

const OTHERS_WRITE = 0o022;
const ROOT = 0;

/**
 * Refuses to run, or to load, what somebody else could have put there: keys.json names it, and cannot be proven authentic before it is
 * open. @throws NectarError KEY_PROGRAM_UNSAFE, KEY_FILE_INSIDE_HOME
 */
export async function requireSafeProgram(path: string, home: string): Promise<void> {
  const unsafe = (problem: string): never => {
    throw new NectarError('KEY_PROGRAM_UNSAFE', { program: path, problem });
  };
  if (!isAbsolute(path)) unsafe('it is not named by its whole path');
  await refuseInsideHome(path, home);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return unsafe('it is not there');
  if (found.uid !== ROOT && found.uid !== process.getuid?.()) unsafe('it belongs to another user');
  if ((found.mode & OTHERS_WRITE) !== 0) unsafe('others may write it');
}
