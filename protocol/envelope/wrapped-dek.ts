/** A data-encryption key sealed under a key-encryption key: AES-256-GCM, AAD = (KEK id, RecordId, version), see aad.ts. */
import { type DekContext, dekAad } from './aad.ts';
import { type EnvelopeCrypto, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './crypto.ts';

/** Bytes of `WrappedDek.sealed`: nonce(12) | ciphertext(32) | tag(16). */
export const WRAPPED_DEK_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

export interface WrappedDek {
  /** `kek/1`, `kek/2`, ... */
  readonly kekId: string;
  readonly sealed: Uint8Array;
}

/** A KEK with its id. `key` is 32 bytes. */
export interface Kek {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Wraps a 32-byte DEK. `nonce` is 12 fresh random bytes: a KEK wraps far fewer than 2^32 DEKs before it rotates. */
export function wrapDek(
  crypto: EnvelopeCrypto,
  kek: Kek,
  input: { readonly dek: Uint8Array; readonly context: DekContext; readonly nonce: Uint8Array },
): WrappedDek {
  const sealed = new Uint8Array(WRAPPED_DEK_BYTES);
  sealed.set(input.nonce, 0);
  sealed.set(crypto.seal(kek.key, input.nonce, dekAad(kek.id, input.context), input.dek), NONCE_BYTES);
  return { kekId: kek.id, sealed };
}

/** Unwraps a DEK; undefined when it does not authenticate for this KEK, record and version. */
export function unwrapDek(
  crypto: EnvelopeCrypto,
  kek: Kek,
  input: { readonly wrapped: WrappedDek; readonly context: DekContext },
): Uint8Array | undefined {
  const { sealed } = input.wrapped;
  if (sealed.length !== WRAPPED_DEK_BYTES) return undefined;
  const aad = dekAad(kek.id, input.context);
  return crypto.open(kek.key, sealed.subarray(0, NONCE_BYTES), aad, sealed.subarray(NONCE_BYTES));
}
