import { keccak_256 } from '@noble/hashes/sha3.js';

/** The Ethereum address (20 bytes) of an uncompressed secp256k1 public key (64 bytes, no prefix). */
export function addressOfKey(publicKey: Uint8Array): Uint8Array {
  return keccak_256(publicKey).subarray(12);
}
