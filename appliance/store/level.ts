import { readdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { diskError, isDiskFull } from '../durable-file.ts';

export type Level = ClassicLevel<Uint8Array, Uint8Array>;

/**
 * Small records live in the index, so it takes whole megabytes a second. What is written is merged with the files that are there once
 * for each full buffer: with LevelDB's own 4 MiB that merging took a sixth of a node's CPU. Twice the buffer is held at a time.
 */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
/** Of one table file; fewer and larger ones are opened, named and removed less often. */
const FILE_BYTES = 8 * 1024 * 1024;

/** What the operating system refuses is no damage: another user, too many files. */
const REFUSED = /permission denied|operation not permitted|too many open files|read-only file system|not a directory/i;

/**
 * Opens the database; one whose files do not fit together is put together from those that can be read, as LevelDB does it:
 * what could not be read stays in `lost/`. What is missing then is seen when the index is held against the log.
 */
export async function openOrRepair(folder: string): Promise<{ db: Level; repaired: boolean }> {
  try {
    if (!(await isHeadless(folder))) return { db: await openLevel(folder), repaired: false };
  } catch (error) {
    if (!isNectarError(error, 'STORE_INDEX_CORRUPT')) throw error;
  }
  await ClassicLevel.repair(folder).catch((cause: unknown) => {
    throw new NectarError('STORE_INDEX_CORRUPT', { entry: 'database' }, { cause });
  });
  return { db: await openLevel(folder), repaired: true };
}

/** LevelDB takes a folder without its CURRENT file for a new database, and removes the old one. */
async function isHeadless(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => []);
  return !names.includes('CURRENT') && names.some((name) => /\.ldb$|\.log$|^MANIFEST-/.test(name));
}

/** Open in this thread. LevelDB itself would take a second one for another thread's. */
const open = new Set<string>();

/**
 * Uncompressed: ciphertext does not shrink, and a scan of the files for leaked bytes then sees them as they are. Each thread of this
 * process may open it, once.
 */
export async function openLevel(folder: string): Promise<Level> {
  if (open.has(folder)) throw new NectarError('NODE_HOME_IN_USE', { home: folder });
  const db: Level = new ClassicLevel(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    multithreading: true,
    writeBufferSize: WRITE_BUFFER_BYTES,
    maxFileSize: FILE_BYTES,
  });
  try {
    open.add(folder);
    await db.open();
    db.once('closed', () => open.delete(folder));
    return db;
  } catch (error) {
    open.delete(folder);
    throw openError(error, folder);
  }
}

function openError(error: unknown, folder: string): unknown {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (code === 'LEVEL_LOCKED') return new NectarError('NODE_HOME_IN_USE', { home: folder }, { cause: error });
  if (isDiskFull(error)) return diskError(error, folder);
  const damaged = code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && !REFUSED.test(message));
  return damaged ? new NectarError('STORE_INDEX_CORRUPT', { entry: 'database' }, { cause: error }) : error;
}
