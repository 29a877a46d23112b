import type { Hash } from './hash.ts';
import { hashInTile, TILE_HEIGHT, TILE_WIDTH, type TileCoordinates } from './tile.ts';

/** A tile with its hashes. */
export interface FilledTile extends TileCoordinates {
  readonly level: number;
  readonly hashes: readonly Hash[];
}

/** The tiles at the right edge of a growing tree: one unfinished tile a level, none of them full. */
export interface TileEdge {
  /** Adds a leaf hash; returns the tiles that became full by it, lowest level first (mostly none). */
  append(hash: Hash): FilledTile[];
  /** The unfinished tiles that are not empty, lowest level first. */
  partials(): FilledTile[];
  readonly size: number;
}

/**
 * Creates the edge of a tree.
 * @param restored hashes of the unfinished tile of each level, as read from the full tiles below; none for an empty tree
 */
export function createTileEdge(restored: readonly (readonly Hash[])[] = []): TileEdge {
  const rows = restored.map((row) => row.slice());
  const done = rows.map((_, level) =>
    rows.slice(level + 1).reduce((sum, row, i) => sum + row.length * TILE_WIDTH ** i, 0),
  );
  let size = rows.reduce((sum, row, level) => sum + row.length * TILE_WIDTH ** level, 0);

  function push(level: number, hash: Hash, full: FilledTile[]): void {
    rows[level] ??= [];
    done[level] ??= 0;
    const row = rows[level];
    row.push(hash);
    if (row.length < TILE_WIDTH) return;
    full.push({ level, index: done[level], width: TILE_WIDTH, hashes: row });
    rows[level] = [];
    done[level] += 1;
    push(level + 1, hashInTile(row, TILE_HEIGHT, 0), full);
  }

  return {
    append(hash) {
      const full: FilledTile[] = [];
      push(0, hash, full);
      size += 1;
      return full;
    },
    partials: () =>
      rows.flatMap((row, level) =>
        row.length === 0 ? [] : [{ level, index: done[level] ?? 0, width: row.length, hashes: row.slice() }],
      ),
    get size() {
      return size;
    },
  };
}
