import { NectarError } from '../../protocol/errors.ts';
import type { Hash } from '../../protocol/merkle/hash.ts';
import type { HashSource, LeafRange, NodeAt } from '../../protocol/merkle/prove.ts';
import { rangeHash, rangeNodes } from '../../protocol/merkle/prove.ts';
import { hashInTile, parseTile, TILE_WIDTH, tileOfNode, tilePath } from '../../protocol/merkle/tile.ts';
import type { FilledTile } from '../../protocol/merkle/tile-edge.ts';
import { type Disk, writeError } from './disk.ts';

/** Files written together. */
const FILES_PER_WRITE = 16;
/** So many files wait before they are written without a checkpoint. */
export const UNWRITTEN_TILES_TO_FLUSH = 8;
/** So many files may wait for the disk; beyond this the log takes no more leaves. */
export const MAX_UNWRITTEN_TILES = 64;

/**
 * The immutable files below `tile/`. They are made from leaves that are durable already, so they are written behind the
 * appends: a crash before that costs nothing, the next start makes them again.
 */
export interface TileFiles {
  put(path: string, bytes: Uint8Array): void;
  /** Writes what waits, in order; throws when the disk refuses, and can be called again. */
  flush(): Promise<void>;
  unwritten(): number;
  read(path: string): Promise<Uint8Array>;
}

export function createTileFiles(disk: Disk): TileFiles {
  const waiting = new Map<string, Uint8Array>();
  let flushing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      const files = Array.from(waiting, ([path, bytes]) => ({ path, bytes })).slice(0, FILES_PER_WRITE);
      await disk.replace(files);
      for (const { path } of files) {
        waiting.delete(path);
        // Partial tiles may go once the full one is there (C2SP tlog-tiles); one that a checkpoint writes at this moment keeps them.
        await disk.remove(`${path}.p`).catch(() => undefined);
      }
    }
  }

  return {
    put: (path, bytes) => void waiting.set(path, bytes),
    unwritten: () => waiting.size,
    async flush() {
      await flushing?.catch(() => undefined);
      flushing ??= writeAll().finally(() => {
        flushing = undefined;
      });
      try {
        await flushing;
      } catch (error) {
        throw writeError(error, 'tile');
      }
    },
    async read(path) {
      const bytes = waiting.get(path) ?? (await disk.read(path));
      if (bytes === undefined) throw new NectarError('AUDIT_TILE_INVALID', { path, reason: 'it is missing' });
      return bytes;
    },
  };
}

/** A tree of which some tiles are at hand and the others on disk. */
export interface TiledTree {
  readonly size: number;
  /** The tiles that are not full at this size. */
  readonly partials: readonly FilledTile[];
}

/** The Merkle tree hashes of leaf ranges, reading each tile once. Ranges as inclusionRanges and consistencyRanges give them. */
export async function readRangeHashes(
  ranges: readonly LeafRange[],
  tree: TiledTree,
  files: Pick<TileFiles, 'read'>,
): Promise<Hash[]> {
  const hashes = new Map<string, Hash>();
  const tiles = new Map<string, readonly Hash[]>();
  for (const node of ranges.flatMap(rangeNodes)) {
    const place = tileOfNode(node, tree.size);
    const path = tilePath(place.tile);
    const partial = place.tile.width < TILE_WIDTH ? tree.partials.find((tile) => tilePath(tile) === path) : undefined;
    const tile = tiles.get(path) ?? partial?.hashes ?? parseTile(await files.read(path), place.tile);
    tiles.set(path, tile);
    hashes.set(nodeKey(node), hashInTile(tile, place.level, place.index));
  }
  const source: HashSource = (node) => {
    const hash = hashes.get(nodeKey(node));
    if (hash === undefined)
      throw new NectarError('AUDIT_TILE_INVALID', { path: 'tile', reason: 'a node was not read' });
    return hash;
  };
  return ranges.map((range) => rangeHash(range, source));
}

function nodeKey({ level, index }: NodeAt): string {
  return `${level}/${index}`;
}
