import { ClassicLevel } from 'classic-level';
import { NectarError } from '../../../protocol/errors.ts';
import { diskError, requireFree } from '../../durable-file.ts';
import type { Sealer } from './sealer.ts';

export type SealedOperation =
  /** `asIs`: sealed already, or of no worth to whoever reads it. */
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array; readonly asIs?: boolean }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** A LevelDB whose values are sealed under their keys. Throws ROLLUP_DATABASE_INVALID, ROLLUP_DATABASE_FAILED, NODE_DISK_FULL. */
export interface SealedLevel {
  open(): Promise<void>;
  close(): Promise<void>;
  /** Each is called before the database is opened again after a failed write: threads that share it must let go of it. */
  beforeReopen(hook: () => Promise<void>): void;
  /** `what` names the value in the error when it does not authenticate. */
  get(key: Uint8Array, what: string): Promise<Uint8Array | undefined>;
  /** A value that was written as it is. */
  getPlain(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** At most `limit` keys between the two, in order. */
  keys(range: { readonly gt: Uint8Array; readonly lt: Uint8Array; readonly limit: number }): Promise<Uint8Array[]>;
  /** Rewrites the files between two keys without what was removed from them. */
  compact(from: Uint8Array, to: Uint8Array): Promise<void>;
  /** All or nothing. One write at a time. */
  write(operations: readonly SealedOperation[]): Promise<void>;
}

/** Of what is written before it is sorted into files: keys are hashes, and small buffers are merged again and again. */
const WRITE_BUFFER_BYTES = 16 << 20;

function createLevel(path: string): ClassicLevel<Uint8Array, Uint8Array> {
  return new ClassicLevel(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Threads beside this one read the same open database (shared-preimages.ts).
    multithreading: true,
    // What is sealed does not get smaller.
    compression: false,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
}

/** The storage engine's errors in the node's words. */
async function guard<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const known = diskError(cause, path);
    if (known instanceof NectarError) throw known;
    throw new NectarError('ROLLUP_DATABASE_FAILED', { operation }, { cause });
  }
}

/** Opening replays the last writes into a new file: below this much free space it is not tried. */
const MIN_FREE_BYTES = 16 << 20;

/**
 * A LevelDB that comes back by itself: after a failed write LevelDB refuses all others until it is opened again, and a disk that
 * was full must not need a restart of the node. While it is still full, reading goes on with the one that is open.
 */
function createLasting(path: string, beforeReopen: () => Promise<void>) {
  let level = createLevel(path);
  let isWanted = false;
  let isBroken = false;
  let opening: Promise<void> | undefined;

  async function reopen(): Promise<void> {
    await requireFree(path, MIN_FREE_BYTES);
    // Whoever else has it open would keep the broken one alive.
    await beforeReopen();
    await level.close();
    level = createLevel(path);
    await level.open();
    isBroken = false;
  }
  const restore = (): Promise<void> => {
    opening ??= reopen().finally(() => {
      opening = undefined;
    });
    return opening;
  };

  return {
    async open() {
      await level.open();
      isWanted = true;
    },
    async close() {
      isWanted = false;
      await opening?.catch(() => {});
      await level.close();
    },
    async get(key: Uint8Array) {
      if (isWanted && level.status !== 'open') await restore();
      return level.get(key);
    },
    keys: (range: Parameters<SealedLevel['keys']>[0]) => level.keys(range).all(),
    compact: (from: Uint8Array, to: Uint8Array) => level.compactRange(from, to),
    async write(operations: SealedOperation[], durable: boolean) {
      if (isBroken) await restore();
      isBroken = true;
      await level.batch(operations, { sync: durable });
      isBroken = false;
    },
  };
}

/** `durable`: fsync every write. */
export function createSealedLevel({ path, durable }: { path: string; durable: boolean }, sealer: Sealer): SealedLevel {
  const hooks: (() => Promise<void>)[] = [];
  const level = createLasting(path, async () => {
    await Promise.all(hooks.map((release) => release()));
  });
  const seal = (operation: SealedOperation): SealedOperation =>
    operation.type === 'del' || operation.asIs
      ? operation
      : { ...operation, value: sealer.seal(operation.key, operation.value) };

  return {
    beforeReopen(hook) {
      hooks.push(hook);
    },
    open: () => guard('open', path, () => level.open()),
    close: () => guard('close', path, () => level.close()),
    get: (key, what) =>
      guard('read', path, async () => {
        const sealed = await level.get(key);
        if (sealed === undefined) return undefined;
        const value = sealer.open(key, sealed);
        if (value === undefined) throw new NectarError('ROLLUP_DATABASE_INVALID', { what });
        return value;
      }),
    getPlain: (key) => guard('read', path, () => level.get(key)),
    keys: (range) => guard('read', path, () => level.keys(range)),
    compact: (from, to) => guard('compact', path, () => level.compact(from, to)),
    write: (operations) => guard('write', path, () => level.write(operations.map(seal), durable)),
  };
}
