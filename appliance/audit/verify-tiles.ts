import { parseEntryBundle } from '../../protocol/merkle/entry-bundle.ts';
import { type Hash, leafHash } from '../../protocol/merkle/hash.ts';
import { encodeTile, TILE_WIDTH, type TileCoordinates, tilePath } from '../../protocol/merkle/tile.ts';
import { createTileEdge, type FilledTile } from '../../protocol/merkle/tile-edge.ts';
import type { Disk } from './disk.ts';
import { type Findings, finding } from './finding.ts';

/** Compares the hash tiles on disk, full and partial, with those recomputed from the leaves. */
export interface TileCheck {
  append(hash: Hash): Promise<void>;
  /** Checks the unfinished tiles; `atRest` when no node is writing, so that nothing wider than the tree may be there. */
  finish(atRest: boolean): Promise<void>;
}

/** @param tiledSize up to this size every full tile must be on disk */
export function createTileCheck(disk: Disk, findings: Findings, tiledSize: number): TileCheck {
  const edge = createTileEdge();

  async function checkFull(tile: FilledTile): Promise<void> {
    const path = tilePath(tile);
    const bytes = await disk.read(path);
    const end = (tile.index + 1) * TILE_WIDTH ** (tile.level + 1);
    if (bytes !== undefined) compare(path, bytes, encodeTile(tile.hashes));
    else if (end <= tiledSize)
      findings.add(finding('AUDIT_TILE_INVALID', { path, reason: 'it is missing' }), 'integrity');
    await checkPartials(tile, true);
  }

  function compare(path: string, bytes: Uint8Array, expected: Uint8Array): void {
    if (Buffer.compare(bytes, expected) === 0) return;
    findings.add(finding('AUDIT_TILE_INVALID', { path, reason: 'it is not what the leaves give' }), 'integrity');
  }

  /** Every partial tile of one place that is on disk must be the beginning of what the leaves give. */
  async function checkPartials(tile: FilledTile, atRest: boolean): Promise<void> {
    await eachPartial(disk, tile, (at, bytes) => {
      if (at.width <= tile.width) compare(tilePath(at), bytes, encodeTile(tile.hashes.slice(0, at.width)));
      else if (atRest)
        findings.add(
          finding('AUDIT_TILE_INVALID', { path: tilePath(at), reason: 'it is wider than the tree' }),
          'integrity',
        );
    });
    if (tile.level !== 0) return;
    await eachPartial(disk, { ...tile, level: 'entries' }, (at, bytes) => {
      if (at.width > tile.width) return;
      const path = tilePath(at);
      const entries = findings.check(() => parseEntryBundle(bytes, at.width, path));
      if (entries !== undefined)
        compare(path, encodeTile(entries.map(leafHash)), encodeTile(tile.hashes.slice(0, at.width)));
    });
  }

  return {
    async append(hash) {
      for (const tile of edge.append(hash)) await checkFull(tile);
    },
    async finish(atRest) {
      for (const tile of edge.partials()) await checkPartials(tile, atRest);
    },
  };
}

/** Reads every partial tile of one place that is on disk. */
async function eachPartial(
  disk: Disk,
  tile: TileCoordinates,
  check: (at: TileCoordinates, bytes: Uint8Array) => void,
): Promise<void> {
  const folder = `${tilePath({ ...tile, width: TILE_WIDTH })}.p`;
  for (const name of await disk.list(folder)) {
    const width = /^[1-9]\d{0,2}$/.test(name) ? Number(name) : 0;
    if (width === 0 || width >= TILE_WIDTH) continue; // such as the rest of a write that a crash cut short
    const bytes = await disk.read(`${folder}/${name}`);
    if (bytes !== undefined) check({ ...tile, width }, bytes);
  }
}
