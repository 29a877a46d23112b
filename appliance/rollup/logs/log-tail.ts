import type { Hex } from '../../../protocol/brand.ts';
import { addBlock, type BlockSet, createBlockSet } from './block-set.ts';

/** A section ends with so many blocks, or with the block that brings it to so many entries (3 MiB on disk). */
export const MAX_SECTION_BLOCKS = 4_096;
const MAX_SECTION_ENTRIES = 1 << 19;

/** One entry: what is found by `fingerprint` may be in the block at `offset`. */
export interface SectionEntries {
  readonly fingerprints: Uint32Array;
  readonly offsets: Uint16Array;
}

/** The newest blocks of the index, which are in no section yet: in memory, so that a block can be taken back at any time. */
export interface LogTail {
  readonly first: bigint;
  /** Blocks in it. */
  readonly size: number;
  readonly isFull: boolean;
  /** Of the block at an offset; undefined for one that the database did not have. */
  hashAt(offset: number): Hex | undefined;
  append(hash: Hex | undefined, fingerprints: readonly number[]): void;
  /** Takes the newest block back. */
  pop(): void;
  /** The blocks in which any of the fingerprints is. */
  find(fingerprints: ReadonlySet<number>): BlockSet;
  entries(): SectionEntries;
}

interface Block {
  readonly hash: Hex | undefined;
  /** Entries before it. */
  readonly from: number;
}

export function createLogTail(first: bigint): LogTail {
  const blocks: Block[] = [];
  let fingerprints = new Uint32Array(1_024);
  let offsets = new Uint16Array(1_024);
  let used = 0;

  function reserve(more: number): void {
    if (used + more <= fingerprints.length) return;
    const length = Math.max(2 * fingerprints.length, used + more);
    const [oldFingerprints, oldOffsets] = [fingerprints, offsets];
    fingerprints = new Uint32Array(length);
    offsets = new Uint16Array(length);
    fingerprints.set(oldFingerprints);
    offsets.set(oldOffsets);
  }

  return {
    first,
    get size() {
      return blocks.length;
    },
    get isFull() {
      return blocks.length >= MAX_SECTION_BLOCKS || used >= MAX_SECTION_ENTRIES;
    },
    hashAt: (offset) => blocks[offset]?.hash,
    append(hash, found) {
      reserve(found.length);
      for (const fingerprint of found) {
        fingerprints[used] = fingerprint;
        offsets[used] = blocks.length;
        used += 1;
      }
      blocks.push({ hash, from: used - found.length });
    },
    pop() {
      used = blocks.pop()?.from ?? 0;
    },
    find(wanted) {
      const found = createBlockSet(blocks.length);
      for (let i = 0; i < used; i++) if (wanted.has(fingerprints[i] ?? 0)) addBlock(found, offsets[i] ?? 0);
      return found;
    },
    entries: () => ({ fingerprints: fingerprints.subarray(0, used), offsets: offsets.subarray(0, used) }),
  };
}
