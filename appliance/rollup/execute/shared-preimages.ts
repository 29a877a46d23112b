import { ClassicLevel } from 'classic-level';
import { NectarError } from '../../../protocol/errors.ts';
import { createDatabaseKeys } from './database-keys.ts';
import { findInGroup, groupOf, lookInGroup, movedFrom } from './packed-preimages.ts';
import { createPreimageCache } from './preimage-cache.ts';
import { createSealer } from './sealer.ts';

export interface SharedPreimagesOptions {
  readonly path: string;
  /** 32 bytes. */
  readonly databaseKey: Uint8Array;
  readonly cacheBytes: number;
}

export interface SharedPreimages {
  /** The bytes whose Keccak-256 is `hash` (32 bytes); a copy. Throws ROLLUP_DATABASE_INVALID. */
  get(hash: Uint8Array): Uint8Array | undefined;
  /** Lets go of the database. */
  close(): Promise<void>;
}

/**
 * The chain's state for a thread beside the one that owns the database: the same open LevelDB, read synchronously, so that no read is
 * in flight when the thread is ended in the middle of a call. It writes nothing. `onRead` is told each look into the database.
 */
export async function openSharedPreimages(
  options: SharedPreimagesOptions,
  onRead: (what: 'entry' | 'group') => void = () => {},
): Promise<SharedPreimages> {
  const { path, databaseKey, cacheBytes } = options;
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    multithreading: true,
    createIfMissing: false,
  });
  await level.open();
  const keys = createDatabaseKeys(databaseKey);
  // It seals nothing: the session that it would seal under is never used.
  const sealer = createSealer(databaseKey, (size) => new Uint8Array(size));
  const cache = createPreimageCache(cacheBytes);
  /**
   * The group that was used last: a node and what hangs below it were mostly written by one block, next to each other, and are read one
   * after the other. What a group says of a hash stays true wherever the pruner has moved it.
   */
  let last: Uint8Array | undefined;
  /** Undefined: there is none at this place (any more). */
  const readGroup = (key: Uint8Array): Uint8Array | undefined => {
    onRead('group');
    const sealed = level.getSync(key);
    if (sealed === undefined) return undefined;
    const group = sealer.open(key, sealed);
    if (group === undefined) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'preimage' });
    return group;
  };
  const readEntry = (hash: Uint8Array): Uint8Array | undefined => {
    onRead('entry');
    return level.getSync(keys.preimage(hash));
  };
  return {
    get(hash) {
      const near = last && lookInGroup(last, hash);
      if (near !== undefined) return near;
      let entry = readEntry(hash);
      for (;;) {
        if (entry === undefined) return undefined;
        const { key, name } = groupOf(entry, keys);
        const group = cache.get(name) ?? readGroup(key);
        if (group !== undefined) {
          cache.set(name, group);
          last = group;
          return findInGroup(group, hash);
        }
        // The pruner moves what stays before it removes where it was.
        entry = movedFrom(entry, readEntry(hash));
      }
    },
    close: () => level.close(),
  };
}
