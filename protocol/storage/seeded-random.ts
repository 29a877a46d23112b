import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** Numbers that follow from a seed alone: for simulations and tests. Not for keys: xoshiro128** (Blackman, Vigna) is no cipher. */
export interface SeededRandom {
  /** A whole number from 0 to below `limit` (at most 2^32), each as likely but for 2^-21. */
  below(limit: number): number;
  /** From 0 to below 1. */
  unit(): number;
}

/** @param seed any text */
export function seededRandom(seed: string): SeededRandom {
  const view = new DataView(keccak_256(utf8ToBytes(seed)).buffer);
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [number, number, number, number];
  const next = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return scrambled;
  };
  const unit = (): number => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
  return { unit, below: (limit) => Math.floor(unit() * limit) };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
