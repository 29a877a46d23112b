import { AbiCoder, keccak256 } from 'ethers';
import type { ListedPreimage } from '../../../machine/host/given-preimages.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';

/** Proves with KZG that an element is the blob's. */
export type ProveElement = (
  blob: Uint8Array,
  index: number,
) => Promise<{ readonly commitment: Hex; readonly proof: Hex }>;

interface ReadElement {
  readonly blob: ListedPreimage;
  readonly index: number;
  /** What the key is the hash of: the versioned hash and the index. */
  readonly words: Uint8Array;
}

/** The blobs that iterations were opened with, the newest: 128 KiB each, six a batch at most. */
export interface ReadBlobs {
  remember(answers: readonly ListedPreimage[]): void;
  find(key: Uint8Array): ReadElement | undefined;
}

const MAX_BLOBS = 24;
const ELEMENTS = 4_096;

export function createReadBlobs(): ReadBlobs {
  const kept = new Map<Hex, ListedPreimage>();

  return {
    remember(answers) {
      for (const answer of answers) {
        if (answer.kind !== 'blob') continue;
        const hash = bytesToHex(answer.hash);
        kept.delete(hash);
        kept.set(hash, answer);
      }
      for (const hash of [...kept.keys()].slice(0, Math.max(0, kept.size - MAX_BLOBS))) kept.delete(hash);
    },
    find(key) {
      const wanted = bytesToHex(key);
      for (const blob of [...kept.values()].reverse())
        for (let index = 0; index < ELEMENTS; index += 1) {
          const words = Buffer.concat([blob.hash, wordOf(index)]);
          if (keccak256(words) === wanted) return { blob, index, words };
        }
      return undefined;
    },
  };
}

function wordOf(index: number): Uint8Array {
  return hexToBytes(AbiCoder.defaultAbiCoder().encode(['uint256'], [index]) as Hex);
}
