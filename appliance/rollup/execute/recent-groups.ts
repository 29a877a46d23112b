import { hashesIn, lookInGroup } from './packed-preimages.ts';

/**
 * The groups that were used last, by the hashes that they hold. What a block changed lies together in few groups, and is what is asked
 * for after it: no look into the database is needed to know where. What a group says of a hash stays true wherever the pruner moves it.
 */
export interface RecentGroups {
  /** A copy of the preimage where one of them holds it. */
  find(hash: Uint8Array): Uint8Array | undefined;
  add(group: Uint8Array): void;
  /** When state was removed: what is gone is not there, wherever it lay. */
  clear(): void;
}

/** Of a hash, for the index: another hash may begin the same way, and is then not found here. */
const NAME_BYTES = 8;

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, NAME_BYTES).toString('latin1');
}

/** Keeps `maxGroups` of them, dropping the one that was added first. */
export function createRecentGroups(maxGroups: number): RecentGroups {
  const groups = new Set<Uint8Array>();
  const byName = new Map<string, Uint8Array>();

  function drop(group: Uint8Array): void {
    groups.delete(group);
    for (const hash of hashesIn(group)) {
      const name = nameOf(hash);
      if (byName.get(name) === group) byName.delete(name);
    }
  }

  return {
    find(hash) {
      const group = byName.get(nameOf(hash));
      return group && lookInGroup(group, hash);
    },
    add(group) {
      if (groups.has(group)) return;
      groups.add(group);
      for (const hash of hashesIn(group)) byName.set(nameOf(hash), group);
      const [oldest] = groups;
      if (groups.size > maxGroups && oldest !== undefined) drop(oldest);
    },
    clear() {
      groups.clear();
      byName.clear();
    },
  };
}
