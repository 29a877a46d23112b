/** Precompile 0x01, which L1 answers a dispute's recoveries with: the Yellow Paper, appendix E. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** Digest, v, r and s: four words. */
export const ECRECOVER_INPUT_BYTES = 128;
const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;
const V_OFFSET = 27;
const [V_AT, R_AT, S_AT] = [32, 64, 96] as const;

/** @param input 128 bytes  @returns the address as a word of 32 bytes; nothing when no key made such a signature. High s are taken */
export function ecrecover(input: Uint8Array): Uint8Array {
  const word = (at: number): bigint =>
    input.subarray(at, at + WORD_BYTES).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const [v, r, s] = [word(V_AT), word(R_AT), word(S_AT)];
  if (v !== 27n && v !== 28n) return new Uint8Array();
  try {
    const signature = new secp256k1.Signature(r, s, Number(v) - V_OFFSET);
    const key = signature.recoverPublicKey(input.subarray(0, V_AT)).toBytes(false);
    const out = new Uint8Array(WORD_BYTES);
    out.set(keccak_256(key.subarray(1)).subarray(WORD_BYTES - ADDRESS_BYTES), WORD_BYTES - ADDRESS_BYTES);
    return out;
  } catch {
    // Out of range, no point of the curve, or the point at infinity.
    return new Uint8Array();
  }
}
