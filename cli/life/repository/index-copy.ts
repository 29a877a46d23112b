import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { diskError } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { openSealedIndex, type SealedEntry, type SealedIndex } from '../../../appliance/store/sealed-index.ts';
import type { BackupEntry } from '../backup/entry.ts';

/**
 * The index of a home, copied file by file while the node runs, and opened: keys and sealed values, none of which opens here. Entry by
 * entry, and not file by file, for a database file may hold what was deleted since.
 */
export interface IndexCopy {
  add(file: BackupEntry): Promise<void>;
  /** After the last file. @throws NectarError STORE_INDEX_CORRUPT for what is no index */
  open(): Promise<SealedIndex>;
  drop(): Promise<void>;
}

export function createIndexCopy(folder: string): IndexCopy {
  let index: SealedIndex | undefined;
  return {
    async add(file) {
      await makeFolders(folder, 0o700);
      try {
        const handle = await open(join(folder, basename(file.path)), 'wx', 0o600);
        try {
          for await (const chunk of file.read()) await handle.writeFile(chunk);
        } finally {
          await handle.close();
        }
      } catch (error) {
        throw diskError(error, folder);
      }
    },
    async open() {
      index = await openSealedIndex(folder);
      return index;
    },
    async drop() {
      await index?.close();
      index = undefined;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The path of a small blob among the files of a snapshot: it changes with its content. */
export function blobPath([key, value]: SealedEntry): string {
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 16);
  return `inline/${Buffer.from(key).toString('hex')}.${digest}`;
}

/** The database key in such a path. */
export function blobKey(path: string): Uint8Array {
  return Buffer.from(path.slice('inline/'.length, path.lastIndexOf('.')), 'hex');
}
