/** The 32 points that a move carries, and their binary Merkle tree, of which L1 stores the root and sees paths. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { bytesToHex, hexToBytes } from '../rollup/bytes.ts';

/** Points of a move. */
export const POINTS = 32;
/** Siblings of a path, the lowest first. */
export const PATH_LENGTH = 5;

/** @returns keccak256(left, right) of two nodes of 32 bytes */
function hashPair(left: Hex, right: Hex): Hex {
  return bytesToHex(keccak_256(concatBytes(hexToBytes(left), hexToBytes(right))));
}

/** The tree by levels, the points first. @throws RangeError for another number of points */
function levelsOf(points: readonly Hex[]): readonly (readonly Hex[])[] {
  if (points.length !== POINTS) throw new RangeError(`a move has ${POINTS} points`);
  const levels: (readonly Hex[])[] = [points];
  for (let below = points; below.length > 1; ) {
    const under = below;
    below = Array.from({ length: under.length / 2 }, (_, index) =>
      hashPair(nodeOf(under, 2 * index), nodeOf(under, 2 * index + 1)),
    );
    levels.push(below);
  }
  return levels;
}

/** The root of 32 points. A point is a leaf as it is. */
export function pointsRoot(points: readonly Hex[]): Hex {
  return nodeOf(levelsOf(points)[PATH_LENGTH] ?? [], 0);
}

/** The siblings from the point `index` up to the root. */
export function pointPath(points: readonly Hex[], index: number): readonly Hex[] {
  if (index < 0 || index >= POINTS) throw new RangeError(`there is no point ${index}`);
  return levelsOf(points)
    .slice(0, PATH_LENGTH)
    .map((level, height) => nodeOf(level, (index >> height) ^ 1));
}

/** The root that a point at `index` and its siblings lead to. */
export function rootOfPoint(point: Hex, index: number, path: readonly Hex[]): Hex {
  return path.reduce(
    (node, sibling, height) => (((index >> height) & 1) === 0 ? hashPair(node, sibling) : hashPair(sibling, node)),
    point,
  );
}

function nodeOf(level: readonly Hex[], index: number): Hex {
  const node = level[index];
  if (node === undefined) throw new RangeError(`there is no point ${index}`);
  return node;
}
