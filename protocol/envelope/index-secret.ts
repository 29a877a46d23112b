/**
 * The secret of a store's index: what its values are sealed by, and what names its entries.
 *
 *   first:    key(32), of which all derives
 *   replaced: key(32) | name key(32) of the first | name key(32) of the second | ...
 *
 * Names are HMACs. Nobody can make them anew without the text that was named, so a replaced secret names an entry by the HMAC of its
 * former name: that needs the former name alone. Without the newest name key nobody can check a guess, whatever older ones are known.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type EnvelopeCrypto, KEY_BYTES } from './crypto.ts';

/** Each makes every name one HMAC dearer. A secret that has as many keeps them, and gets another key for its values alone. */
export const MAX_INDEX_NAME_KEYS = 32;
export const MAX_INDEX_SECRET_BYTES = KEY_BYTES * (1 + MAX_INDEX_NAME_KEYS);

const NO_SALT = new Uint8Array(0);

export interface IndexSecret {
  /** 32 bytes, of which the keys of values and cursors derive. */
  readonly key: Uint8Array;
  /** 32 bytes each, the innermost first. */
  readonly names: readonly Uint8Array[];
}

/** A key of 32 bytes under that of an index. */
export function indexSubkey(crypto: EnvelopeCrypto, key: Uint8Array, name: 'names' | 'values' | 'cursors'): Uint8Array {
  return crypto.hkdf(key, NO_SALT, utf8ToBytes(`nectar/index/${name}/1`), KEY_BYTES);
}

/** Whether bytes have the length of a secret of an index. */
export function isIndexSecret({ length }: Uint8Array): boolean {
  return length >= KEY_BYTES && length <= MAX_INDEX_SECRET_BYTES && length % KEY_BYTES === 0;
}

/** @throws RangeError for bytes of another length */
export function parseIndexSecret(crypto: EnvelopeCrypto, secret: Uint8Array): IndexSecret {
  if (!isIndexSecret(secret)) throw new RangeError('a secret of an index has another length');
  const key = secret.subarray(0, KEY_BYTES);
  if (secret.length === KEY_BYTES) return { key, names: [indexSubkey(crypto, key, 'names')] };
  const names: Uint8Array[] = [];
  for (let at = KEY_BYTES; at < secret.length; at += KEY_BYTES) names.push(secret.subarray(at, at + KEY_BYTES));
  return { key, names };
}

/** The secret that takes the place of another: a random key, and one more random name key. The caller wipes both secrets. */
export function nextIndexSecret(
  crypto: EnvelopeCrypto,
  secret: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  const { names } = parseIndexSecret(crypto, secret);
  const added = names.length < MAX_INDEX_NAME_KEYS ? [randomBytes(KEY_BYTES)] : [];
  const parts = [randomBytes(KEY_BYTES), ...names, ...added];
  const next = new Uint8Array(KEY_BYTES * parts.length);
  for (const [i, part] of parts.entries()) next.set(part, i * KEY_BYTES);
  return next;
}
