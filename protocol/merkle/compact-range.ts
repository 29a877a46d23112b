import { EMPTY_ROOT, type Hash, leafHash, nodeHash } from './hash.ts';

/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first. Enough to append and to tell the
 * root, in O(log n) memory, without any older leaf.
 */
export interface CompactRange {
  /** Number of leaves. */
  readonly size: number;
  /** One root per bit set in `size`, largest subtree first. */
  readonly roots: readonly Hash[];
}

/** The tree without leaves. */
export const EMPTY_RANGE: CompactRange = { size: 0, roots: [] };

/**
 * The range after one more leaf. Pure: the given range stays valid, so a failed write costs nothing to undo.
 * @param hash the leaf hash, 32 bytes
 */
export function appendLeafHash(range: CompactRange, hash: Hash): CompactRange {
  const roots = range.roots.slice();
  let merged = hash;
  for (let size = range.size; size % 2 === 1; size = (size - 1) / 2)
    merged = nodeHash(roots.pop() ?? EMPTY_ROOT, merged);
  roots.push(merged);
  return { size: range.size + 1, roots };
}

/** The RFC 6962 tree root of the range: its subtrees folded from the right; the empty root for no leaves. */
export function rangeRoot(range: CompactRange): Hash {
  const last = range.roots.at(-1);
  if (last === undefined) return EMPTY_ROOT;
  return range.roots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/**
 * The RFC 6962 root over whole leaves, for small sets such as record commitments.
 * @param leaves any bytes each; at most a few million (all in memory)
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash {
  return rangeRoot(leaves.reduce<CompactRange>((range, leaf) => appendLeafHash(range, leafHash(leaf)), EMPTY_RANGE));
}
