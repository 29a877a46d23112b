/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein 2012; the reference's halfsiphash.c) of a message of 8 bytes: placement
 * takes one for each holder and segment, ten thousand in a millisecond. A word is 32 bits, little endian.
 * @returns from 0 to below 1: the first 53 bits, the high word first
 */
export function halfSipHashUnit(key: readonly [number, number], low: number, high: number): number {
  const [first, second] = halfSipHash(key, low, high);
  return (second * 2 ** 21 + (first >>> 11)) / 2 ** 53;
}

/** Both words of the hash. */
export function halfSipHash([k0, k1]: readonly [number, number], low: number, high: number): [number, number] {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
  };
  // The last word of a message has its length in the highest byte.
  for (const word of [low, high, 8 << 24]) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  v2 ^= 0xee;
  rounds(4);
  const first = (v1 ^ v3) >>> 0;
  v1 ^= 0xdd;
  rounds(4);
  return [first, (v1 ^ v3) >>> 0];
}
