import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../../protocol/errors.ts';
import { type PinnedFile, pinFile } from './pinned-file.ts';

const ATTEMPTS = 40;
const PAUSE_MS = 25;
const DATA_FILE = /^(\d{6,}\.(ldb|sst|log)|MANIFEST-\d{6,})$/;

/**
 * Pins a LevelDB that its process goes on writing to, at one moment of its history.
 *
 * Its tables never change, its write-ahead logs and its MANIFEST only grow, and a table is removed only after the MANIFEST says that
 * it is no longer used. So: open every file, and accept what was opened if CURRENT and the MANIFEST's size were the same before the
 * first and after the last one: then every table that this MANIFEST names was there all the while. A log is taken up to the
 * size that it had when it was opened: a prefix of the writes, in order, which is what a crash at that moment would leave, and what
 * LevelDB recovers from. Everything acknowledged before the call is in it.
 *
 * @throws NectarError BACKUP_SOURCE_UNSTABLE when the MANIFEST keeps changing
 */
export async function pinLevel(folder: string, prefix: string): Promise<PinnedFile[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const files = await tryPin(folder, prefix);
    if (files !== undefined) return files;
    await sleep(PAUSE_MS);
  }
  throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: prefix });
}

async function tryPin(folder: string, prefix: string): Promise<PinnedFile[] | undefined> {
  const before = await readVersion(folder);
  if (before === undefined) return undefined;
  const pinned: PinnedFile[] = [];
  try {
    // Logs in the order of their numbers: whoever has a successor is complete.
    const names = (await readdir(folder)).filter((name) => DATA_FILE.test(name)).sort();
    for (const name of names) {
      const file = await pinFile(join(folder, name), `${prefix}/${name}`);
      if (file !== undefined) pinned.push(file);
    }
    const current = await pinFile(join(folder, 'CURRENT'), `${prefix}/CURRENT`);
    if (current !== undefined) pinned.push(current);
    const after = await readVersion(folder);
    if (current !== undefined && after !== undefined && after.join() === before.join()) return pinned;
  } catch (error) {
    await closeAll(pinned);
    throw error;
  }
  await closeAll(pinned);
  return undefined;
}

/** The MANIFEST in use and its size. undefined in the moment of a switch. */
async function readVersion(folder: string): Promise<readonly [string, number] | undefined> {
  try {
    const current = (await readFile(join(folder, 'CURRENT'), 'utf8')).trim();
    return DATA_FILE.test(current) ? [current, (await stat(join(folder, current))).size] : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function closeAll(files: readonly PinnedFile[]): Promise<void> {
  for (const file of files) await file.close();
}
