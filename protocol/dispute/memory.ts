/**
 * The memory of the disputed machine: 2^28 leaves of 16 bytes under a Merkle tree (docs/design/0031). Untouched memory is zeros
 * and costs nothing. For tests, steps and openings; a tracer, which runs billions of steps, keeps its own.
 */
import { bytesOf, hashPair, LEAF_BYTES, leafOf } from './field.ts';

/** Levels of the tree. */
export const MEMORY_LEVELS = 28;

/** What a step may read and write. Addresses are bytes and are taken modulo 2^32; a leaf's address is rounded down. */
export interface Memory {
  leafAt(address: number): bigint;
  setLeaf(address: number, leaf: bigint): void;
}

/** A memory that can say its root and show a leaf under it. */
export interface HashedMemory extends Memory {
  root(): bigint;
  /** The 28 siblings of the leaf at the address, the lowest first. */
  pathTo(address: number): readonly bigint[];
}

/** Roots of empty trees by level, 0 being a leaf. */
const EMPTY: readonly bigint[] = emptyRoots();

/** @param segments what is loaded: address and bytes; both are multiples of 16 but for the last bytes, which zeros fill up */
export function createMemory(segments: readonly { address: number; bytes: Uint8Array }[] = []): HashedMemory {
  const levels: Map<number, bigint>[] = Array.from({ length: MEMORY_LEVELS + 1 }, () => new Map());
  const stale = new Set<number>();
  const node = (level: number, index: number): bigint => levels[level]?.get(index) ?? EMPTY[level] ?? 0n;

  function rehash(): void {
    let indices = stale;
    for (let level = 1; level <= MEMORY_LEVELS && indices.size > 0; level++) {
      const above = new Set<number>();
      for (const index of indices) above.add(Math.floor(index / 2));
      for (const index of above) {
        levels[level]?.set(index, hashPair(node(level - 1, index * 2), node(level - 1, index * 2 + 1)));
      }
      indices = above;
    }
    stale.clear();
  }

  const memory: HashedMemory = {
    leafAt: (address) => node(0, leafIndex(address)),
    setLeaf(address, leaf) {
      levels[0]?.set(leafIndex(address), leaf);
      stale.add(leafIndex(address));
    },
    root() {
      rehash();
      return node(MEMORY_LEVELS, 0);
    },
    pathTo(address) {
      rehash();
      let index = leafIndex(address);
      return Array.from({ length: MEMORY_LEVELS }, (_, level) => {
        const sibling = node(level, index % 2 === 0 ? index + 1 : index - 1);
        index = Math.floor(index / 2);
        return sibling;
      });
    },
  };
  for (const { address, bytes } of segments) {
    for (let at = 0; at < bytes.length; at += LEAF_BYTES) {
      memory.setLeaf(address + at, leafOf(bytes.subarray(at, at + LEAF_BYTES)));
    }
  }
  return memory;
}

/** The root that a leaf and its siblings lead to. */
export function rootFrom(address: number, leaf: bigint, path: readonly bigint[]): bigint {
  let index = leafIndex(address);
  let node = leaf;
  for (const sibling of path) {
    node = index % 2 === 0 ? hashPair(node, sibling) : hashPair(sibling, node);
    index = Math.floor(index / 2);
  }
  return node;
}

/** The 32-bit word at an address that is a multiple of 4. */
export function wordAt(memory: Memory, address: number): number {
  return Number((memory.leafAt(address) >> wordShift(address)) & 0xffff_ffffn);
}

/** Writes the 32-bit word at an address that is a multiple of 4. */
export function setWord(memory: Memory, address: number, word: number): void {
  const leaf = memory.leafAt(address);
  const shift = wordShift(address);
  memory.setLeaf(address, (leaf & ~(0xffff_ffffn << shift)) | (BigInt(word >>> 0) << shift));
}

/** The 32 bytes at an address that is a multiple of 16. */
export function wordsAt(memory: Memory, address: number): Uint8Array {
  const bytes = new Uint8Array(2 * LEAF_BYTES);
  bytes.set(bytesOf(memory.leafAt(address)));
  bytes.set(bytesOf(memory.leafAt(address + LEAF_BYTES)), LEAF_BYTES);
  return bytes;
}

function wordShift(address: number): bigint {
  return BigInt(((address >>> 2) & 3) * 32);
}

function leafIndex(address: number): number {
  return (address >>> 0) >>> 4;
}

function emptyRoots(): readonly bigint[] {
  const roots = [0n];
  for (let level = 0; level < MEMORY_LEVELS; level++) {
    const below = roots[level] ?? 0n;
    roots.push(hashPair(below, below));
  }
  return roots;
}
