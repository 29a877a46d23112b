import { NectarError } from '../errors.ts';
import { HASH_BYTES, type Hash, isSameHash, nodeHash } from './hash.ts';
import type { LeafRange } from './prove.ts';
import type { TreeHead } from './verify.ts';

/** A leaf whose place in a tree is to be shown. */
export interface IndexedHash {
  readonly index: number;
  readonly hash: Hash;
}

/**
 * The leaf ranges whose Merkle tree hashes, left to right, show many leaves to be in a tree at once: the subtrees of RFC 6962
 * that hold none of them. Fewer than the inclusion paths together, since what two paths share is there once, and none at all for
 * what lies between neighbours.
 * @param indices in order, none twice; throws AUDIT_INDEX_OUT_OF_RANGE
 */
export function multiProofRanges(indices: readonly number[], size: number): LeafRange[] {
  indices.forEach((index, i) => {
    if (!Number.isSafeInteger(index) || index >= size || index <= (indices[i - 1] ?? -1))
      throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size });
  });
  const ranges: LeafRange[] = [];
  const visit = (range: LeafRange, wanted: LeafRange): void => {
    if (wanted.begin === wanted.end) return void ranges.push(range);
    if (range.end - range.begin === 1) return;
    const [left, right] = halves(range);
    const cut = firstFrom(indices, right.begin, wanted);
    visit(left, { begin: wanted.begin, end: cut });
    visit(right, { begin: cut, end: wanted.end });
  };
  if (size > 0) visit({ begin: 0, end: size }, { begin: 0, end: indices.length });
  return ranges;
}

/**
 * Verifies that leaves are in a tree, all at once: their hashes and those of a multi-proof give the root.
 * @param leaves in the order of their indices, none twice
 * @returns the tree head; throws AUDIT_INCLUSION_INVALID
 */
export function verifyMultiProof(leaves: readonly IndexedHash[], proof: readonly Hash[], head: TreeHead): TreeHead {
  const refuse = (reason: string): never => {
    throw new NectarError('AUDIT_INCLUSION_INVALID', { index: leaves[0]?.index ?? 0, size: head.size, reason });
  };
  if (leaves.length === 0 || head.size === 0) refuse('there is no leaf');
  const indices = leaves.map(({ index }) => index);
  const inOrder = indices.every((index, i) => Number.isSafeInteger(index) && index > (indices[i - 1] ?? -1));
  if (!inOrder || (indices.at(-1) ?? 0) >= head.size) refuse('the leaves are not in order below the tree size');
  if ([...proof, ...leaves.map(({ hash }) => hash)].some(({ length }) => length !== HASH_BYTES))
    refuse('a hash is not 32 bytes');
  let used = 0;
  const rootOf = (range: LeafRange, wanted: LeafRange): Hash => {
    if (wanted.begin === wanted.end) return proof[used++] ?? refuse('too few hashes');
    if (range.end - range.begin === 1) return leaves[wanted.begin]?.hash ?? refuse('a leaf is missing');
    const [left, right] = halves(range);
    const cut = firstFrom(indices, right.begin, wanted);
    const first = rootOf(left, { begin: wanted.begin, end: cut });
    return nodeHash(first, rootOf(right, { begin: cut, end: wanted.end }));
  };
  const root = rootOf({ begin: 0, end: head.size }, { begin: 0, end: leaves.length });
  if (used !== proof.length) refuse('too many hashes');
  if (!isSameHash(root, head.root)) refuse('the root differs');
  return head;
}

/** The two halves of a tree as RFC 6962, 2.1 splits it: the left one is the largest power of two below the width. */
function halves({ begin, end }: LeafRange): [LeafRange, LeafRange] {
  const width = end - begin;
  let power = 2 ** Math.floor(Math.log2(width));
  if (power >= width) power /= 2;
  return [
    { begin, end: begin + power },
    { begin: begin + power, end },
  ];
}

/** Position of the first index from `leaf` on, within positions `[begin, end)`. */
function firstFrom(indices: readonly number[], leaf: number, { begin, end }: LeafRange): number {
  let [low, high] = [begin, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((indices[middle] ?? leaf) < leaf) low = middle + 1;
    else high = middle;
  }
  return low;
}
