import { sha256 } from '@noble/hashes/sha2.js';

/** Length of every hash in the tree, in bytes. */
export const HASH_BYTES = 32;

/** A SHA-256 hash, 32 bytes. */
export type Hash = Uint8Array;

const LEAF_PREFIX = Uint8Array.of(0);

/**
 * One hash state for all: a tree takes several hashes a leaf, and a state of its own for each is memory outside the heap, which cost
 * more than hashing. `fresh` is never fed; what is cloned from it starts anew whatever became of the last one.
 */
const fresh = sha256.create();
const hasher = sha256.create();
/** 0x01 | left | right */
const node = new Uint8Array(1 + 2 * HASH_BYTES);
node[0] = 1;

/** Root of the tree without leaves: the hash of the empty string (RFC 6962, 2.1). */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array());

/**
 * Leaf hash SHA-256(0x00 | leaf) (RFC 6962, 2.1). The prefix keeps an inner node from being passed off as a leaf.
 * @param leaf any bytes
 */
export function leafHash(leaf: Uint8Array): Hash {
  return fresh._cloneInto(hasher).update(LEAF_PREFIX).update(leaf).digest();
}

/**
 * Inner node SHA-256(0x01 | left | right) (RFC 6962, 2.1).
 * @param left 32 bytes
 * @param right 32 bytes
 * @throws RangeError for others, whose border would be anywhere (a bug: parsers look at lengths first)
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES)
    throw new RangeError('a hash of the tree has 32 bytes');
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return fresh._cloneInto(hasher).update(node).digest();
}

/** Whether two hashes are equal. Public values: no need for constant time. */
export function isSameHash(a: Hash, b: Hash): boolean {
  return a.length === HASH_BYTES && b.length === HASH_BYTES && a.every((byte, i) => byte === b[i]);
}
