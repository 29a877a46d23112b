import { NectarError } from '../errors.ts';
import { EMPTY_ROOT, HASH_BYTES, type Hash, isSameHash, nodeHash } from './hash.ts';

/** An unsigned tree head. */
export interface TreeHead {
  /** Number of leaves. */
  readonly size: number;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Hash;
}

/** A proof has at most one hash a level, and a size is below 2^53; a consistency proof may carry one more. */
export const MAX_PROOF_HASHES = 54;

/**
 * Verifies that a leaf is in a tree, as RFC 9162, 2.1.3.2 does.
 * @param leaf its index and its leaf hash (32 bytes)
 * @param path hashes from the leaf up
 * @returns the tree head that the leaf was shown to be in; throws AUDIT_INCLUSION_INVALID
 */
export function verifyInclusion(leaf: { index: number; hash: Hash }, path: readonly Hash[], head: TreeHead): TreeHead {
  const refuse = (reason: string): never => {
    throw new NectarError('AUDIT_INCLUSION_INVALID', { index: leaf.index, size: head.size, reason });
  };
  if (path.length > MAX_PROOF_HASHES) refuse('too many hashes');
  if ([leaf.hash, ...path].some((hash) => hash.length !== HASH_BYTES)) refuse('a hash is not 32 bytes');
  if (!isSize(leaf.index) || !isSize(head.size) || leaf.index >= head.size)
    refuse('the leaf is not below the tree size');

  let fn = leaf.index;
  let sn = head.size - 1;
  let root = leaf.hash;
  for (const hash of path) {
    if (sn === 0) refuse('too many hashes');
    if (isOdd(fn) || fn === sn) {
      root = nodeHash(hash, root);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      root = nodeHash(root, hash);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0) refuse('too few hashes');
  if (!isSameHash(root, head.root)) refuse('the root differs');
  return head;
}

/**
 * Verifies that one tree is a prefix of another, as RFC 9162, 2.1.4.2 does.
 * @returns the newer tree head; throws AUDIT_CONSISTENCY_INVALID
 */
export function verifyConsistency(first: TreeHead, second: TreeHead, path: readonly Hash[]): TreeHead {
  const refuse = (reason: string): never => {
    throw new NectarError('AUDIT_CONSISTENCY_INVALID', { from: first.size, to: second.size, reason });
  };
  if (path.length > MAX_PROOF_HASHES) refuse('too many hashes');
  if (path.some((hash) => hash.length !== HASH_BYTES)) refuse('a hash is not 32 bytes');
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size) refuse('the sizes are not in order');

  if (first.size === 0 || first.size === second.size) {
    if (path.length !== 0) refuse('too many hashes');
    const expected = first.size === 0 ? EMPTY_ROOT : second.root;
    if (!isSameHash(first.root, expected)) refuse('the roots differ');
    return second;
  }
  const rebuilt = rebuildRoots(first, second.size, path);
  if (rebuilt === undefined) return refuse('the number of hashes does not fit the sizes');
  if (!isSameHash(rebuilt.first, first.root)) refuse('the first root differs');
  if (!isSameHash(rebuilt.second, second.root)) refuse('the second root differs');
  return second;
}

/** Steps 2 to 6 of RFC 9162, 2.1.4.2; undefined when the path is too short or too long. */
function rebuildRoots(first: TreeHead, size: number, path: readonly Hash[]): { first: Hash; second: Hash } | undefined {
  const hashes = isPowerOfTwo(first.size) ? [first.root, ...path] : path;
  const seed = hashes[0];
  if (seed === undefined) return undefined;
  let fn = first.size - 1;
  let sn = size - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];

  let [fr, sr] = [seed, seed];
  for (const hash of hashes.slice(1)) {
    if (sn === 0) return undefined;
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(hash, fr);
      sr = nodeHash(hash, sr);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, hash);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? { first: fr, second: sr } : undefined;
}

// Shifts and masks of numbers that may pass 2^32, where JavaScript's own bit operators wrap around.
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest > 1 && rest % 2 === 0) rest /= 2;
  return rest === 1;
}
