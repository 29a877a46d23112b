import type { StoreCore } from './core.ts';
import { decodeEntry } from './entries.ts';

/** Entries of the index in one look; undefined for one that is not there, is damaged, or was not asked for. */
export async function readMany<T>(
  core: Pick<StoreCore, 'db'>,
  keys: readonly (Uint8Array | undefined)[],
): Promise<(T | undefined)[]> {
  const values = await core.db.getMany(keys.filter((key) => key !== undefined));
  let at = 0;
  return keys.map((key) => {
    const value = key === undefined ? undefined : values[at++];
    return value === undefined || value === 'broken' ? undefined : decodeEntry<T>(value);
  });
}
