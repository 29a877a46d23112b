import { ClassicLevel } from 'classic-level';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { createDatabaseKeys } from '../execute/database-keys.ts';
import { createPreimageCache } from '../execute/preimage-cache.ts';
import { createSealer } from '../execute/sealer.ts';

export interface SharedStateOptions {
  readonly path: string;
  /** 32 bytes. */
  readonly databaseKey: Uint8Array;
  readonly cacheBytes: number;
}

/**
 * The chain's state for a thread beside the one that owns the database: the same open LevelDB, read synchronously, so that no read is
 * in flight when the thread is ended in the middle of a call. It writes nothing.
 */
export async function openSharedState(options: SharedStateOptions): Promise<Pick<StateByHash, 'get'>> {
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
  const read = (hash: Hex): Uint8Array | undefined => {
    const key = keys.byHash('preimage', hash);
    const sealed = level.getSync(key);
    if (sealed === undefined) return undefined;
    const value = sealer.open(key, sealed);
    if (value === undefined) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'preimage' });
    return value;
  };
  return {
    async get(hash) {
      const cached = cache.get(hash);
      if (cached !== undefined) return cached;
      const value = read(hash);
      if (value !== undefined) cache.set(hash, value);
      return value;
    },
  };
}
