import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexToBytes } from './bytes.ts';
import type { ReceiptLog } from './receipt.ts';

const BLOOM_BYTES = 256;
const BITS_OF_ITEM = 3;

/** The bloom filter of logs: 3 bits of 2,048 for each address and topic (Yellow Paper, 4.4.3). */
export function bloomOf(logs: readonly Pick<ReceiptLog, 'address' | 'topics'>[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs) {
    for (const item of [address, ...topics]) {
      const hash = keccak_256(hexToBytes(item));
      for (let pair = 0; pair < BITS_OF_ITEM; pair++) {
        const bit = (((hash[2 * pair] ?? 0) << 8) | (hash[2 * pair + 1] ?? 0)) & 2047;
        const at = BLOOM_BYTES - 1 - (bit >> 3);
        bloom[at] = (bloom[at] ?? 0) | (1 << (bit & 7));
      }
    }
  }
  return bloom;
}
