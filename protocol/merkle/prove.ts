import { NectarError } from '../errors.ts';
import { type Hash, leafHash, nodeHash } from './hash.ts';

/** A perfect subtree: `2^level` leaves, from leaf `index * 2^level` on. */
export interface NodeAt {
  readonly level: number;
  readonly index: number;
}

/** Leaves `[begin, end)` whose Merkle tree hash is one element of a proof. */
export interface LeafRange {
  readonly begin: number;
  readonly end: number;
}

/** Returns the root of a perfect subtree that is complete in the tree. */
export type HashSource = (node: NodeAt) => Hash;

/**
 * Leaf ranges whose hashes are PATH(index, D[size]) of RFC 6962, 2.1.1, from the leaf up to the root.
 * Throws AUDIT_INDEX_OUT_OF_RANGE when the tree has no such leaf.
 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size });
  const ranges: LeafRange[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + splitPoint(end - begin);
    if (index < middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
    }
  }
  return ranges.reverse();
}

/**
 * Leaf ranges whose hashes are PROOF(first, D[second]) of RFC 6962, 2.1.2. Empty when the sizes are equal or `first` is 0.
 * Throws AUDIT_INDEX_OUT_OF_RANGE when first is above second.
 */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  if (!Number.isSafeInteger(first) || first < 0 || first > second)
    throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index: first, size: second });
  if (first === 0) return [];
  const ranges: LeafRange[] = [];
  let [begin, end] = [0, second];
  // `whole` is the flag b of SUBPROOF: the old tree is a left edge that the verifier already knows.
  let whole = true;
  while (end !== first) {
    const middle = begin + splitPoint(end - begin);
    if (first <= middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
      whole = false;
    }
  }
  if (!whole) ranges.push({ begin, end });
  return ranges.reverse();
}

/** The perfect subtrees of a range, left to right. `begin` must be a multiple of the largest power of two below the length, as in every RFC 6962 split. */
export function rangeNodes({ begin, end }: LeafRange): NodeAt[] {
  const nodes: NodeAt[] = [];
  for (let at = begin; at < end; ) {
    const width = at + 1 === end ? 1 : largestPowerOfTwo(end - at);
    nodes.push({ level: Math.log2(width), index: at / width });
    at += width;
  }
  return nodes;
}

/** The Merkle tree hash of a range, from the hashes of its perfect subtrees. */
export function rangeHash(range: LeafRange, source: HashSource): Hash {
  const hashes = rangeNodes(range).map(source);
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * Inclusion proof of leaf `index` in the tree over whole leaves (all in memory): for small sets such as record commitments.
 * @returns hashes from the leaf up, 32 bytes each
 */
export function proveInclusion(leaves: readonly Uint8Array[], index: number): Hash[] {
  const source = leavesSource(leaves);
  return inclusionRanges(index, leaves.length).map((range) => rangeHash(range, source));
}

/** Consistency proof from the first `first` leaves to all of them (all in memory). */
export function proveConsistency(leaves: readonly Uint8Array[], first: number): Hash[] {
  const source = leavesSource(leaves);
  return consistencyRanges(first, leaves.length).map((range) => rangeHash(range, source));
}

function leavesSource(leaves: readonly Uint8Array[]): HashSource {
  const hashAt: HashSource = ({ level, index }) => {
    if (level > 0)
      return nodeHash(
        hashAt({ level: level - 1, index: 2 * index }),
        hashAt({ level: level - 1, index: 2 * index + 1 }),
      );
    const leaf = leaves[index];
    if (leaf === undefined) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: leaves.length });
    return leafHash(leaf);
  };
  return hashAt;
}

/** Largest power of two strictly below `count` (RFC 6962, 2.1); count is at least 2. */
function splitPoint(count: number): number {
  const power = largestPowerOfTwo(count);
  return power === count ? power / 2 : power;
}

/** Largest power of two not above `count`. Floating point, since sizes may pass 2^32. */
function largestPowerOfTwo(count: number): number {
  let power = 2 ** Math.floor(Math.log2(count));
  if (power > count) power /= 2; // log2 may round up just below a power of two
  return power;
}
