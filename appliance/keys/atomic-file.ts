import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';

/** Replaces a file as a whole and durably: temp file, fsync, rename, directory fsync. The old content or the new survives a crash. */
export async function writeFileAtomic(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const staged = `${path}.new`;
  try {
    await rm(staged, { force: true });
    await writeDurable(staged, bytes, mode);
    await rename(staged, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(staged, { force: true }).catch(() => undefined);
    throw asDiskFull(error, path);
  }
}

/** Creates a file that must not exist yet (EEXIST otherwise), durably. */
export async function createFileDurable(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  try {
    await writeDurable(path, bytes, mode);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw asDiskFull(error, path);
  }
}

async function writeDurable(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function asDiskFull(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new NectarError('NODE_DISK_FULL', { path }, { cause: error }) : error;
}
