import type { Worker } from 'node:worker_threads';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import {
  createValueOpener,
  createValueSealer,
  SEALED_VALUE_NONCE_BYTES,
  SEALED_VALUE_SALT_BYTES,
} from '../../protocol/envelope/sealed-value.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { diskError, requireFree } from '../durable-file.ts';
import { addStats, decodeEntry, encodeEntry, NO_STATS, type StatsDelta, type StatsEntry } from './entries.ts';
import { createGroupCommit } from './group-commit.ts';
import { createIndexThread, type IndexThreadData } from './index-thread.ts';
import { joinReads } from './joined-reads.ts';
import { openLevel, openOrRepair } from './level.ts';
import type { IndexWrite } from './packed-writes.ts';
import type { TrailMarks } from './trail.ts';

/** Below this LevelDB is not reopened after a failed write: recovery itself needs to write. */
const REOPEN_FREE_BYTES = 16 * 1024 * 1024;
const SCAN_BATCH = 128;

/** A write, or what the commit changes in the store's counters, which are written in the same batch. */
export type IndexOp =
  | IndexWrite
  | { readonly type: 'count'; readonly delta: StatsDelta }
  /** Replaces counters: after a recount. */
  | { readonly type: 'set'; readonly stats: Partial<StatsEntry> };

export interface RangeOptions {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly gt?: Uint8Array;
  /** From the end. */
  readonly reverse?: boolean;
  readonly limit?: number;
}

/**
 * The sealed index: classic-level with values sealed for their key. `get` and `range` throw STORE_INDEX_CORRUPT for a value
 * that does not open there: altered, cut, or moved. An older value of the same key, or a removed entry, is not seen here:
 * the audit log is what a scrub compares with (see README.md).
 */
export interface IndexDb {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Many in one look, in their order; 'broken' for one that does not open. For a few hundred. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | 'broken' | undefined)[]>;
  /** `broken` hears of values that do not open and lets the scan go on; without it the scan throws. */
  range(
    options: RangeOptions,
    broken?: (key: Uint8Array) => void,
  ): AsyncGenerator<{ key: Uint8Array; value: Uint8Array }>;
  /**
   * Atomic, and durable when it resolves; concurrent commits share one fsync. NODE_DISK_FULL leaves nothing of it.
   * `lazy`: written when it resolves, and durable with the next commit: for what a start can do again.
   */
  commit(ops: readonly IndexOp[], how?: 'lazy'): Promise<void>;
  /** Of the last commit that is durable. */
  generation(): number;
  /** What was there when it was opened: nothing, counters, or counters that do not open. */
  readonly found: 'new' | 'stored' | 'broken';
  /** Its files did not open, and what could be read of them was put together again. */
  readonly repaired: boolean;
  /** Whose marks are kept with every commit. */
  keepMarksOf(trail: { marks(): TrailMarks }): void;
  /** Counters as of the last commit. */
  stats(): StatsEntry;
  /** Rewrites the files that hold [gte, lt), so that replaced values leave the disk's files. */
  compact(range: { gte: Uint8Array; lt: Uint8Array }): Promise<void>;
  close(): Promise<void>;
}

export interface IndexDbOptions {
  readonly folder: string;
  readonly valueKey: Uint8Array;
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly statsKey: Uint8Array;
  /** Hears of every value that does not open. */
  readonly onCorrupt?: (key: Uint8Array) => void;
  readonly startThread?: (data: IndexThreadData) => Worker;
}

export async function openIndexDb(options: IndexDbOptions): Promise<IndexDb> {
  const { folder, valueKey, crypto } = options;
  const opened = await openOrRepair(folder);
  let { db } = opened;
  let broken = false;
  const { startThread: start } = options;
  const thread = createIndexThread({ ...options, ...(start !== undefined && { start }) });

  /** After a failed write the log's tail may be torn, and writes behind it would be lost at the next recovery: start a new log. */
  async function heal(): Promise<void> {
    if (!broken) return;
    await requireFree(folder, REOPEN_FREE_BYTES);
    await reopen();
  }

  let reopening: Promise<void> | undefined;
  let isClosed = false;
  function reopen(): Promise<void> {
    reopening ??= openAgain().finally(() => {
      reopening = undefined;
    });
    return reopening;
  }

  async function openAgain(): Promise<void> {
    await thread.end();
    await db.close();
    db = await openLevel(folder);
    // What failed may have become durable all the same.
    stats = (await readStats()) ?? stats;
    broken = false;
  }

  /** Where the disk refused to open it anew it is closed: whoever needs it next tries again, readers too. */
  const use = async <T>(work: () => Promise<T>): Promise<T> => {
    if (db.status !== 'open' && !isClosed) await reopen().catch((error: unknown) => Promise.reject(unusable(error)));
    return work();
  };

  /** The values of one write share a derived key: a group is bounded, so their nonces cannot meet. */
  const sealAll = (writes: readonly IndexWrite[]): IndexWrite[] => {
    const seal = createValueSealer(crypto, valueKey, options.randomBytes(SEALED_VALUE_SALT_BYTES));
    const nonces = options.randomBytes(writes.length * SEALED_VALUE_NONCE_BYTES);
    return writes.map((op, i) => {
      if (op.type === 'del') return op;
      const nonce = nonces.subarray(i * SEALED_VALUE_NONCE_BYTES, (i + 1) * SEALED_VALUE_NONCE_BYTES);
      return { type: 'put', key: op.key, value: seal({ place: op.key, value: op.value, nonce }) };
    });
  };

  let stats = NO_STATS;
  const readStats = async (): Promise<StatsEntry | undefined> => {
    const value = await get(options.statsKey);
    if (value === undefined) return undefined;
    const stored = decodeEntry<StatsEntry>(value);
    return { ...NO_STATS, ...stored, anchored: stored.anchored };
  };
  let marks: () => Partial<TrailMarks> = () => ({});
  let durable = 0;

  const commits = createGroupCommit<IndexOp>(async (ops, sync) => {
    const writes = ops.filter((op) => op.type === 'put' || op.type === 'del');
    try {
      await heal();
      const counted = ops.reduce(nextStats, stats);
      const next = { ...counted, generation: counted.generation + 1, ...marks() };
      writes.push({ type: 'put', key: options.statsKey, value: encodeEntry(next) });
      await (thread.write(writes, sync) ?? db.batch(sealAll(writes), { sync }));
      stats = next;
      if (sync) durable = next.generation;
    } catch (error) {
      if (!isNectarError(error)) broken = true;
      throw unusable(diskError(error, folder));
    }
  });

  const opener = createValueOpener(crypto, valueKey);
  const unseal = (key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined => opener({ place: key, sealed });

  const read = joinReads<Uint8Array, Uint8Array | undefined>({
    one: (key) => use(() => db.get(key)),
    many: (keys) => use(() => db.getMany(keys)),
  });

  async function get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const sealed = await read(key).catch((error: unknown) => {
      throw readError(error, key);
    });
    if (sealed === undefined) return undefined;
    const value = unseal(key, sealed);
    if (value !== undefined) return value;
    options.onCorrupt?.(key);
    throw corrupt(key);
  }

  async function getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | 'broken' | undefined)[]> {
    const found = await use(() => db.getMany([...keys])).catch((error: unknown) => {
      throw readError(error, keys[0] ?? options.statsKey);
    });
    return keys.map((key, i) => {
      const sealed = found[i];
      if (sealed === undefined) return undefined;
      const value = unseal(key, sealed);
      if (value === undefined) options.onCorrupt?.(key);
      return value ?? 'broken';
    });
  }

  const stored = await readStats().catch(async (error: unknown) => {
    if (isNectarError(error, 'STORE_INDEX_CORRUPT')) return 'broken' as const;
    await db.close();
    throw error;
  });
  if (stored !== undefined && stored !== 'broken') [stats, durable] = [stored, stored.generation];

  return {
    repaired: opened.repaired,
    found: stored === undefined ? 'new' : stored === 'broken' ? 'broken' : 'stored',
    get,
    getMany,
    generation: () => durable,
    keepMarksOf(trail) {
      marks = () => trail.marks();
    },
    stats: () => stats,
    async *range({ gte, gt, lt, limit, reverse = false }, onBroken) {
      const bounds = gt === undefined ? { gte, lt } : { gt, lt };
      await use(async () => undefined);
      const iterator = db.iterator({ ...bounds, limit: limit ?? -1, reverse });
      try {
        for (;;) {
          const entries = await iterator.nextv(SCAN_BATCH).catch((error: unknown) => {
            throw readError(error, gte);
          });
          if (entries.length === 0) return;
          for (const [key, sealed] of entries) {
            const value = unseal(key, sealed);
            if (value !== undefined) {
              yield { key, value };
              continue;
            }
            options.onCorrupt?.(key);
            if (onBroken === undefined) throw corrupt(key);
            onBroken(key);
          }
        }
      } finally {
        await iterator.close();
      }
    },
    commit: (ops, how) => commits.commit(ops, how === 'lazy'),
    async compact({ gte, lt }) {
      await db.compactRange(gte, lt);
    },
    async close() {
      await commits.idle();
      isClosed = true;
      await reopening?.catch(() => undefined);
      await thread.end();
      await db.close();
    },
  };
}

/** What LevelDB says of a disk that refuses it, without its paths: no bug of this program, and over when the disk takes it again. */
function unusable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isNectarError(error) || code?.startsWith('LEVEL_') !== true) return error;
  const said = error instanceof Error && error.cause instanceof Error ? error.cause.message : message;
  const reason = said.slice(said.lastIndexOf(': ') + 1).trim();
  return new NectarError('STORE_INDEX_UNUSABLE', { reason }, { cause: error });
}

function nextStats(stats: StatsEntry, op: IndexOp): StatsEntry {
  if (op.type === 'count') return addStats(stats, op.delta);
  if (op.type !== 'set') return stats;
  return { ...stats, ...op.stats, generation: Math.max(stats.generation, op.stats.generation ?? 0) };
}

function corrupt(key: Uint8Array, cause?: unknown): NectarError {
  const entry = `kind ${key[0]} ${Buffer.from(key.subarray(1, 9)).toString('hex')}`;
  return new NectarError('STORE_INDEX_CORRUPT', { entry }, { cause });
}

function readError(error: unknown, key: Uint8Array): unknown {
  return (error as NodeJS.ErrnoException).code === 'LEVEL_CORRUPTION' ? corrupt(key, error) : error;
}
