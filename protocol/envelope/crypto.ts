/**
 * The two primitives that the envelope needs, injected because protocol/ has no Node API. The appliance passes
 * node:crypto (OpenSSL); a browser verifier can pass WebCrypto-backed or pure ones.
 */
export interface EnvelopeCrypto {
  /**
   * AES-256-GCM (NIST SP 800-38D). `key` 32 bytes, `nonce` 12 bytes; returns ciphertext | tag (16 bytes): `room`, when the
   * caller brings it, of exactly that length.
   */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, room?: Uint8Array): Uint8Array;
  /** `seal` under a key that is made ready once, for several values: `room` is of exactly the sealed length. */
  sealer(key: Uint8Array): (nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, room: Uint8Array) => void;
  /** The inverse of seal; undefined when it does not authenticate. Releases no unauthenticated byte. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** `open` under a key that is made ready once, for several values. */
  opener(key: Uint8Array): (nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array) => Uint8Array | undefined;
  /** HKDF-SHA256 (RFC 5869), extract then expand, `length` bytes. */
  hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
}

/** Bytes of every key in the envelope. */
export const KEY_BYTES = 32;
/** Bytes of a GCM nonce. */
export const NONCE_BYTES = 12;
/** Bytes of a GCM tag. */
export const TAG_BYTES = 16;
