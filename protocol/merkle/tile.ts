import { NectarError } from '../errors.ts';
import { HASH_BYTES, type Hash, nodeHash } from './hash.ts';
import type { NodeAt } from './prove.ts';

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
/** Levels of the tree that one tile stands for. */
export const TILE_HEIGHT = 8;
/** Highest level in a path (C2SP tlog-tiles). */
const MAX_LEVEL = 63;

/** A tile of hashes at `level` (0 holds leaf hashes), or a bundle of entries. `width` is 1 to 256; below 256 it is partial. */
export interface TileCoordinates {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** Path of a tile below the log's prefix, such as `tile/0/x001/x234/067` or `tile/entries/000.p/12`. */
export function tilePath({ level, index, width }: TileCoordinates): string {
  const partial = width < TILE_WIDTH ? `.p/${width}` : '';
  return `tile/${level}/${indexPath(index)}${partial}`;
}

/** A tile index as path elements of three digits, all but the last with a leading x: 1234067 is `x001/x234/067`. */
export function indexPath(index: number): string {
  let rest = Math.floor(index / 1000);
  let path = String(index % 1000).padStart(3, '0');
  for (; rest > 0; rest = Math.floor(rest / 1000)) path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return path;
}

/** Parses a tile path; throws AUDIT_TILE_INVALID for anything but the one spelling that tilePath gives. */
export function parseTilePath(path: string): TileCoordinates {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  const [, levelText = '', indexText = '', widthText] = match ?? [];
  const tile: TileCoordinates = {
    level: levelText === 'entries' ? 'entries' : Number(levelText),
    index: Number(indexText.replaceAll(/[x/]/g, '')),
    width: widthText === undefined ? TILE_WIDTH : Number(widthText),
  };
  const canonical = match !== null && Number.isSafeInteger(tile.index) && tile.width > 0 && tilePath(tile) === path;
  if (!canonical || (tile.level !== 'entries' && tile.level > MAX_LEVEL))
    throw new NectarError('AUDIT_TILE_INVALID', { path: path.slice(0, 80), reason: 'the path is malformed' });
  return tile;
}

/** Width of the partial tile at `level` for a tree of `size` leaves: floor(size / 256^level) mod 256; 0 means there is none. */
export function partialWidth(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** The tiles that hold the tree of `size` leaves and are not full, lowest level first; empty ones are left out. */
export function partialTiles(size: number): TileCoordinates[] {
  const tiles: TileCoordinates[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const width = partialWidth(size, level);
    if (width > 0) tiles.push({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width });
  }
  return tiles;
}

/** The tile that holds or implies a node of the tree, and the place of that node within the tile's own small tree. */
export function tileOfNode(node: NodeAt, size: number): { tile: TileCoordinates; level: number; index: number } {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const rise = node.level % TILE_HEIGHT;
  const perTile = TILE_WIDTH / 2 ** rise;
  const index = Math.floor(node.index / perTile);
  const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
  return { tile: { level, index, width }, level: rise, index: node.index % perTile };
}

/** Encodes a tile: its hashes one after the other. */
export function encodeTile(hashes: readonly Hash[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, i) => {
    bytes.set(hash, i * HASH_BYTES);
  });
  return bytes;
}

/** Parses a tile of `width` hashes; throws AUDIT_TILE_INVALID when the length differs. */
export function parseTile(bytes: Uint8Array, tile: TileCoordinates): Hash[] {
  if (bytes.length !== tile.width * HASH_BYTES)
    throw new NectarError('AUDIT_TILE_INVALID', { path: tilePath(tile), reason: 'the length is wrong' });
  return Array.from({ length: tile.width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** Root of the perfect subtree at `level`, `index` within a tile, whose hashes must all be there. */
export function hashInTile(hashes: readonly Hash[], level: number, index: number): Hash {
  let row = hashes.slice(index * 2 ** level, (index + 1) * 2 ** level);
  if (row.length !== 2 ** level)
    throw new NectarError('AUDIT_TILE_INVALID', { path: 'tile', reason: 'the subtree is not complete' });
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i] as Hash, row[2 * i + 1] as Hash));
  return row[0] as Hash;
}
