/**
 * A small value sealed at rest: index entries, identities. AAD = its place (the database key, the file's name), so that a
 * value moved to another place does not open.
 *
 *   sealed = formatVersion(1) = 1 | salt(16) | nonce(12) | ciphertext | tag(16)
 *   key    = HKDF-SHA256(value key, salt, info = "nectar/sealed-value/1", 32)
 *
 * A key of its own for every value, or for the values of one write: random 96-bit nonces under one long-lived key would cap a
 * busy node at 2^32 values.
 * An older value of the same place does open (an AEAD knows no time): who needs freshness compares with the audit log.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ENVELOPE_VERSION } from './aad.ts';
import { type EnvelopeCrypto, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './crypto.ts';

const INFO = utf8ToBytes('nectar/sealed-value/1');
const SALT_BYTES = 16;
const PREFIX_BYTES = 1 + SALT_BYTES + NONCE_BYTES;

/** Fresh random bytes that sealValue needs: salt and nonce. */
export const SEALED_VALUE_RANDOM_BYTES = SALT_BYTES + NONCE_BYTES;
/** Fresh random bytes of a sealer of several values, and of each value. */
export const SEALED_VALUE_SALT_BYTES = SALT_BYTES;
export const SEALED_VALUE_NONCE_BYTES = NONCE_BYTES;
/** Bytes that sealing adds. */
export const SEALED_VALUE_OVERHEAD_BYTES = PREFIX_BYTES + TAG_BYTES;

/** Seals `value` for `place`. `key` 32 bytes, `random` SEALED_VALUE_RANDOM_BYTES fresh random bytes. */
export function sealValue(
  crypto: EnvelopeCrypto,
  key: Uint8Array,
  input: { readonly place: Uint8Array; readonly value: Uint8Array; readonly random: Uint8Array },
): Uint8Array {
  const { place, value, random } = input;
  if (random.length !== SEALED_VALUE_RANDOM_BYTES) throw new RangeError('sealed value needs 28 random bytes');
  const seal = createValueSealer(crypto, key, random.subarray(0, SALT_BYTES));
  return seal({ place, value, nonce: random.subarray(SALT_BYTES) });
}

/**
 * Seals one value under a key that it shares with others: its nonce is fresh and random, 12 bytes. Into `room` when the caller brings it:
 * SEALED_VALUE_OVERHEAD_BYTES more than the value has.
 */
export type ValueSealer = (input: {
  readonly place: Uint8Array;
  readonly value: Uint8Array;
  readonly nonce: Uint8Array;
  readonly room?: Uint8Array;
}) => Uint8Array;

/**
 * A sealer for values that are written together, a few thousand at most: they share the salt and so the derived key, which is half
 * of what sealing a small value costs, and each has a nonce of its own.
 *
 * @param salt SEALED_VALUE_SALT_BYTES fresh random bytes
 */
export function createValueSealer(crypto: EnvelopeCrypto, key: Uint8Array, salt: Uint8Array): ValueSealer {
  if (salt.length !== SALT_BYTES) throw new RangeError('the salt of sealed values has 16 bytes');
  const seal = crypto.sealer(crypto.hkdf(key, salt, INFO, KEY_BYTES));
  return ({ place, value, nonce, room }) => {
    const sealed = room ?? new Uint8Array(SEALED_VALUE_OVERHEAD_BYTES + value.length);
    if (sealed.length !== SEALED_VALUE_OVERHEAD_BYTES + value.length) throw new RangeError('no room for the value');
    sealed[0] = ENVELOPE_VERSION;
    sealed.set(salt, 1);
    sealed.set(nonce, 1 + SALT_BYTES);
    seal(nonce, place, value, sealed.subarray(PREFIX_BYTES));
    return sealed;
  };
}

/** Opens a value at its place; undefined when it is malformed or does not authenticate there. */
export function openValue(
  crypto: EnvelopeCrypto,
  key: Uint8Array,
  input: { readonly place: Uint8Array; readonly sealed: Uint8Array },
): Uint8Array | undefined {
  const { place, sealed } = input;
  if (sealed.length < SEALED_VALUE_OVERHEAD_BYTES || sealed[0] !== ENVELOPE_VERSION) return undefined;
  const valueKey = crypto.hkdf(key, sealed.subarray(1, 1 + SALT_BYTES), INFO, KEY_BYTES);
  return crypto.open(valueKey, sealed.subarray(1 + SALT_BYTES, PREFIX_BYTES), place, sealed.subarray(PREFIX_BYTES));
}

/** Opens a value at its place; undefined when it is malformed or does not authenticate there. */
export type ValueOpener = (input: {
  readonly place: Uint8Array;
  readonly sealed: Uint8Array;
}) => Uint8Array | undefined;

/** Derived keys kept ready at a time: entries that are read in the order of their names come from hundreds of writes. */
const MAX_READY = 1024;

/** Opens many values under one key: those that were written together share a derived key, which is then made once. */
export function createValueOpener(crypto: EnvelopeCrypto, key: Uint8Array): ValueOpener {
  const ready = new Map<string, ReturnType<EnvelopeCrypto['opener']>>();
  /** Values that were written together are mostly read one after the other. */
  let last: { readonly salt: Uint8Array; readonly opener: ReturnType<EnvelopeCrypto['opener']> } | undefined;
  const openerOf = (salt: Uint8Array): ReturnType<EnvelopeCrypto['opener']> => {
    if (last === undefined || !isSame(last.salt, salt)) last = { salt: salt.slice(), opener: findOpener(salt) };
    return last.opener;
  };
  const findOpener = (salt: Uint8Array): ReturnType<EnvelopeCrypto['opener']> => {
    const name = String.fromCharCode(...salt);
    const known = ready.get(name);
    if (known !== undefined) return known;
    const opener = crypto.opener(crypto.hkdf(key, salt, INFO, KEY_BYTES));
    const [oldest] = ready.keys();
    if (ready.size >= MAX_READY && oldest !== undefined) ready.delete(oldest);
    ready.set(name, opener);
    return opener;
  };
  return ({ place, sealed }) => {
    if (sealed.length < SEALED_VALUE_OVERHEAD_BYTES || sealed[0] !== ENVELOPE_VERSION) return undefined;
    const open = openerOf(sealed.subarray(1, 1 + SALT_BYTES));
    return open(sealed.subarray(1 + SALT_BYTES, PREFIX_BYTES), place, sealed.subarray(PREFIX_BYTES));
  };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < SALT_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
