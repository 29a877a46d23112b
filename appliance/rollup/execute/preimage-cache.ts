/** Recently used groups of preimages, by their place. What lies at a place never changes. */
export interface PreimageCache {
  get(place: string): Uint8Array | undefined;
  set(place: string, bytes: Uint8Array): void;
}

/** Of one bound for a process: its own thread reads the accounts of senders and what clients ask for, the executing one all else. */
export function shareCacheBytes(bytes: number): { readonly own: number; readonly executing: number } {
  const own = Math.floor(bytes / 8);
  return { own, executing: bytes - own };
}

/** Keeps at most `maxBytes` of values (and about as much again of bookkeeping), dropping the least recently used. */
export function createPreimageCache(maxBytes: number): PreimageCache {
  // A Map iterates in order of insertion: reinserting on use keeps the oldest in front.
  const entries = new Map<string, Uint8Array>();
  let bytes = 0;
  const drop = (place: string, value: Uint8Array): void => {
    entries.delete(place);
    bytes -= value.length;
  };
  return {
    get(place) {
      const value = entries.get(place);
      if (value !== undefined) {
        entries.delete(place);
        entries.set(place, value);
      }
      return value;
    },
    set(place, value) {
      const before = entries.get(place);
      if (before !== undefined) drop(place, before);
      entries.set(place, value);
      bytes += value.length;
      for (const [oldest, old] of entries) {
        if (bytes <= maxBytes) break;
        drop(oldest, old);
      }
    },
  };
}
