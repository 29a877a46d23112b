import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { NectarError } from '../../protocol/errors.ts';
import { diskError } from '../durable-file.ts';
import { KIND, kindRange } from './index-keys.ts';

const BATCH = 512;
const BATCH_BYTES = 4 * 1024 * 1024;

type Level = ClassicLevel<Uint8Array, Uint8Array>;
export type SealedEntry = readonly [key: Uint8Array, value: Uint8Array];

/** The entries of an index as they are at rest, none of which opens here: what a backup copies, and a restore puts back. */
export interface SealedIndex {
  /** Everything but small blobs: with these, what opens records. */
  entries(): AsyncGenerator<SealedEntry>;
  /** Small blobs: ciphertext that never changes under its key. */
  blobs(): AsyncGenerator<SealedEntry>;
  count(kind: 'head' | 'version'): Promise<number>;
  close(): Promise<void>;
}

/** A copy of an index's folder; nobody else may have it open. @throws NectarError STORE_INDEX_CORRUPT for what is no index */
export async function openSealedIndex(folder: string): Promise<SealedIndex> {
  const db = await openLevel(folder, false);
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
    close: () => db.close(),
  };
}

/** A new index, filled entry by entry. */
export interface SealedIndexBuilder {
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  /** Writes what is left, durably. */
  close(): Promise<void>;
}

export async function buildSealedIndex(folder: string): Promise<SealedIndexBuilder> {
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
      : new NectarError('STORE_INDEX_CORRUPT', { entry: 'database' }, { cause: error });
  }
}
