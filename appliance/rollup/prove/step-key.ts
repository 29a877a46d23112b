/** The verification key of the circuit of a step for one structured reference string, as the contract on L1 was given it. */
import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';

/** What bb's `write_vk` writes. */
export interface WrittenKey {
  /** Three numbers, then the commitments. */
  readonly key: Uint8Array;
  readonly hash: Uint8Array;
}

const NUMBERS = 3;
const WORD_BYTES = 32;
const POINT_BYTES = 64;
/** In the contract's order, the places in bb's. Some commitments are equal; CI holds the order against the text of bb's verifier. */
const PLACES = [15, 19, 16, 17, 20, 18, 21, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 22, 23, 24, 25, 26, 27];

/** @param g2 of the string: x.c0, x.c1, y.c0, y.c1 @returns what StepHonk's constructor takes */
export function stepHonkKey({ key, hash }: WrittenKey, g2: Uint8Array): Uint8Array {
  const points = key.subarray(NUMBERS * WORD_BYTES);
  const pointAt = (place: number): Uint8Array => points.subarray(place * POINT_BYTES, (place + 1) * POINT_BYTES);
  const word = (index: number): Uint8Array => g2.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES);
  // The precompile has c1 before c0.
  return Buffer.concat([hash, word(1), word(0), word(3), word(2), ...PLACES.map(pointAt)]);
}

/** StepHonk's KEY_HASH for such a key. */
export function keyHashOf(key: Uint8Array): Hex {
  return keccak256(key) as Hex;
}
