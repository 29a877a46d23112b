import type { Hash } from '../../protocol/merkle/hash.ts';
import { encodeGroup } from './body-bundle.ts';
import { type BodySealer, placeOf } from './body-seal.ts';
import type { PreparedEntry } from './event.ts';

/** A group of entries as it goes to the disk, and the leaves that it adds to the tree. */
export interface MadeGroup {
  /** body-bundle.ts */
  readonly bytes: Uint8Array;
  readonly leaves: readonly MadeLeaf[];
}

export interface MadeLeaf {
  readonly leaf: Uint8Array;
  readonly leafHash: Hash;
}

/** Seals entries for their places in the log, and writes them as one group. @param first the index of the first */
export function makeGroup(first: number, entries: readonly PreparedEntry[], sealer: BodySealer): MadeGroup {
  const stored = entries.map((entry, i) => ({
    leaf: entry.leaf,
    sealed: sealer.seal(placeOf(first + i, entry.leaf, entry.leafHash), entry),
  }));
  return { bytes: encodeGroup(first, stored), leaves: entries };
}
