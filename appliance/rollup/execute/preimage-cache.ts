import type { Hex } from '../../../protocol/brand.ts';

/** Recently used preimages. They are named by their hash, so an entry can never be stale. */
export interface PreimageCache {
  get(hash: Hex): Uint8Array | undefined;
  set(hash: Hex, bytes: Uint8Array): void;
}

/** Keeps at most `maxBytes` of values (and about as much again of bookkeeping), dropping the least recently used. */
export function createPreimageCache(maxBytes: number): PreimageCache {
  // A Map iterates in order of insertion: reinserting on use keeps the oldest in front.
  const entries = new Map<Hex, Uint8Array>();
  let bytes = 0;
  const drop = (hash: Hex, value: Uint8Array): void => {
    entries.delete(hash);
    bytes -= value.length;
  };
  return {
    get(hash) {
      const value = entries.get(hash);
      if (value !== undefined) {
        entries.delete(hash);
        entries.set(hash, value);
      }
      return value;
    },
    set(hash, value) {
      const before = entries.get(hash);
      if (before !== undefined) drop(hash, before);
      entries.set(hash, value);
      bytes += value.length;
      for (const [oldest, old] of entries) {
        if (bytes <= maxBytes) break;
        drop(oldest, old);
      }
    },
  };
}
