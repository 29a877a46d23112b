import { getBytes, keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';

/**
 * Whether a block's bloom may contain `item` (an address or a topic; Yellow Paper 4.4.3). Since the bloom is part of the
 * verified header, "no" is proof of absence: a lying endpoint cannot hide an event by not sending receipts.
 */
export function isInBloom(bloom: Hex, item: Hex): boolean {
  const filter = getBytes(bloom);
  const hash = getBytes(keccak256(item));
  for (const at of [0, 2, 4]) {
    const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
    if (((filter[255 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}
