/** The scalar field of BN254 and the two hashes over it that a machine's state is made of (docs/design/0031). */
import { permute } from '@zkpassport/poseidon2';

/** The field's modulus. A canonical encoding is below it. */
export const FIELD_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;
/** Bytes of a leaf of memory. */
export const LEAF_BYTES = 16;

const REGISTERS_DOMAIN = 6n;

/** The inner node above two nodes. */
export function hashPair(left: bigint, right: bigint): bigint {
  return first(permute([left, right, 0n, 0n]));
}

/** The hash of six field elements, which no inner node can have for a preimage: its capacity is not 0. */
export function hashSix(elements: readonly [bigint, bigint, bigint, bigint, bigint, bigint]): bigint {
  const [e0, e1, e2, e3, e4, e5] = elements;
  const [a = 0n, b = 0n, c = 0n, d = 0n] = permute([e0, e1, e2, REGISTERS_DOMAIN]);
  return first(permute([(a + e3) % FIELD_MODULUS, (b + e4) % FIELD_MODULUS, (c + e5) % FIELD_MODULUS, d]));
}

/** 16 bytes as a leaf: a little-endian number. */
export function leafOf(bytes: Uint8Array): bigint {
  let leaf = 0n;
  for (let index = LEAF_BYTES - 1; index >= 0; index--) leaf = (leaf << 8n) | BigInt(bytes[index] ?? 0);
  return leaf;
}

/** The 16 bytes of a leaf. */
export function bytesOf(leaf: bigint): Uint8Array {
  const bytes = new Uint8Array(LEAF_BYTES);
  let rest = leaf;
  for (let index = 0; index < LEAF_BYTES; index++) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function first(values: readonly bigint[]): bigint {
  const [value] = values;
  if (value === undefined) throw new RangeError('the permutation gave nothing');
  return value;
}
