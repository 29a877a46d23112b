import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { diskError } from '../../../appliance/durable-file.ts';
import { KIND, kindRange } from '../../../appliance/store/index-keys.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { BackupEntry } from '../backup/entry.ts';

const BATCH = 512;
const BATCH_BYTES = 4 * 1024 * 1024;

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type Pair = readonly [key: Uint8Array, value: Uint8Array];

/**
 * The index of a home, copied file by file while the node runs, and opened: keys and sealed values, none of which opens here. Entry by
 * entry, and not file by file, for a database file may hold what was deleted since.
 */
export interface IndexCopy {
  add(file: BackupEntry): Promise<void>;
  /** After the last file. @throws NectarError BACKUP_SOURCE_UNSTABLE for what is no index */
  open(): Promise<OpenIndexCopy>;
  drop(): Promise<void>;
}

export interface OpenIndexCopy {
  /** Everything but small blobs: with these, what opens records. */
  entries(): AsyncGenerator<Pair>;
  /** Small blobs: ciphertext that never changes under its key. */
  blobs(): AsyncGenerator<Pair>;
  count(kind: 'head' | 'version'): Promise<number>;
}

export function createIndexCopy(folder: string): IndexCopy {
  let db: Level | undefined;
  return {
    async add(file) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
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
      db = await openLevel(folder, false);
      return readerOf(db);
    },
    async drop() {
      await db?.close();
      db = undefined;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function readerOf(db: Level): OpenIndexCopy {
  const { gte: blobsFrom, lt: blobsTo } = kindRange(KIND.inlineBlock);
  return {
    async *entries() {
      yield* db.iterator({ lt: blobsFrom });
      yield* db.iterator({ gte: blobsTo });
    },
    async *blobs() {
      yield* db.iterator({ gte: blobsFrom, lt: blobsTo });
    },
    async count(kind) {
      let count = 0;
      for await (const _ of db.keys(kindRange(KIND[kind]))) count += 1;
      return count;
    },
  };
}

/** The path of a small blob among the files of a snapshot: it changes with its content. */
export function blobPath([key, value]: Pair): string {
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 16);
  return `inline/${Buffer.from(key).toString('hex')}.${digest}`;
}

/** The database key in such a path. */
export function blobKey(path: string): Uint8Array {
  return Buffer.from(path.slice('inline/'.length, path.lastIndexOf('.')), 'hex');
}

/** A new index, filled entry by entry. */
export interface IndexBuilder {
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  /** Writes what is left, durably. */
  close(): Promise<void>;
}

export async function buildIndex(folder: string): Promise<IndexBuilder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const db = await openLevel(folder, true);
  let batch: { type: 'put'; key: Uint8Array; value: Uint8Array }[] = [];
  let bytes = 0;
  async function flush(sync: boolean): Promise<void> {
    try {
      await db.batch(batch, { sync });
    } catch (error) {
      throw diskError(error, folder);
    }
    [batch, bytes] = [[], 0];
  }
  return {
    async put(key, value) {
      batch.push({ type: 'put', key, value });
      bytes += value.length;
      if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush(false);
    },
    async close() {
      try {
        await flush(true);
      } finally {
        await db.close();
      }
    },
  };
}

async function openLevel(folder: string, createIfMissing: boolean): Promise<Level> {
  const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false, createIfMissing } as const;
  const db: Level = new ClassicLevel(folder, options);
  try {
    await db.open();
    return db;
  } catch (error) {
    throw createIfMissing
      ? diskError(error, folder)
      : new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'store/index' }, { cause: error });
  }
}
