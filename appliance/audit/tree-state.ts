import { appendLeafHash, type CompactRange, rangeRoot } from '../../protocol/merkle/compact-range.ts';
import { encodeEntryBundle } from '../../protocol/merkle/entry-bundle.ts';
import type { Hash } from '../../protocol/merkle/hash.ts';
import { encodeTile, TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import { createTileEdge, type FilledTile } from '../../protocol/merkle/tile-edge.ts';

/** The tree as far as it is durable, in memory: its right edge and the leaves of the bundle that is not full. */
export interface TreeState {
  readonly range: CompactRange;
  root(): Hash;
  /** Adds a durable leaf; returns the files that are complete by it. */
  append(leaf: Uint8Array, hash: Hash): readonly TreeFile[];
  partials(): FilledTile[];
  /** Leaves of the unfinished bundle. */
  leaves(): readonly Uint8Array[];
}

/** A file of the tree, by its path below the log. */
export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Where the tree stands: at a multiple of 256 leaves, with the hashes of each level's unfinished tile. */
export interface TreeStart {
  readonly range: CompactRange;
  readonly rows: readonly (readonly Hash[])[];
}

export function createTreeState(start: TreeStart): TreeState {
  const edge = createTileEdge(start.rows);
  let range = start.range;
  let leaves: Uint8Array[] = [];

  return {
    get range() {
      return range;
    },
    root: () => rangeRoot(range),
    append(leaf, hash) {
      leaves.push(leaf);
      range = appendLeafHash(range, hash);
      const files = edge.append(hash).map((tile) => ({ path: tilePath(tile), bytes: encodeTile(tile.hashes) }));
      if (range.size % TILE_WIDTH !== 0) return files;
      const entries = { level: 'entries' as const, index: range.size / TILE_WIDTH - 1, width: TILE_WIDTH };
      const bundle = { path: tilePath(entries), bytes: encodeEntryBundle(leaves) };
      leaves = [];
      return [bundle, ...files];
    },
    partials: () => edge.partials(),
    leaves: () => leaves.slice(),
  };
}
