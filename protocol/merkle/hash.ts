import { sha256 } from '@noble/hashes/sha2.js';

/** Length of every hash in the tree, in bytes. */
export const HASH_BYTES = 32;

/** A SHA-256 hash, 32 bytes. */
export type Hash = Uint8Array;

/** Root of the tree without leaves: the hash of the empty string (RFC 6962, 2.1). */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array());

/**
 * Leaf hash SHA-256(0x00 | leaf) (RFC 6962, 2.1). The prefix keeps an inner node from being passed off as a leaf.
 * @param leaf any bytes
 */
export function leafHash(leaf: Uint8Array): Hash {
  const input = new Uint8Array(1 + leaf.length);
  input.set(leaf, 1);
  return sha256(input);
}

/**
 * Inner node SHA-256(0x01 | left | right) (RFC 6962, 2.1).
 * @param left 32 bytes
 * @param right 32 bytes
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return sha256(input);
}

/** Whether two hashes are equal. Public values: no need for constant time. */
export function isSameHash(a: Hash, b: Hash): boolean {
  return a.length === HASH_BYTES && b.length === HASH_BYTES && a.every((byte, i) => byte === b[i]);
}
