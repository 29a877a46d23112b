import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';

/** What the root key is asked for by the rest of the node, besides KEKs. Each name is the HKDF info string's middle part. */
export const KEY_PURPOSES = ['index', 'audit-body', 'identity', 'rollup-db', 'backup'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

const NO_SALT = new Uint8Array(0);

/** HKDF-SHA256(root key, no salt, info = "nectar/<purpose>/1"). The caller wipes it. */
export function purposeKey(
  crypto: EnvelopeCrypto,
  root: Uint8Array,
  purpose: KeyPurpose,
  length: number = KEY_BYTES,
): Uint8Array {
  return crypto.hkdf(root, NO_SALT, Buffer.from(`nectar/${purpose}/1`), length);
}

/** A KEK of a version 1 key list, `kek/N`: HKDF-SHA256(root key, no salt, info = "nectar/kek/N"). It ends only with the root key. */
export function derivedKek(crypto: EnvelopeCrypto, root: Uint8Array, kekId: string): Uint8Array {
  return crypto.hkdf(root, NO_SALT, Buffer.from(`nectar/${kekId}`), KEY_BYTES);
}

/** Seals the random KEKs in keys.json. */
export function kekSealingKey(crypto: EnvelopeCrypto, root: Uint8Array): Uint8Array {
  return crypto.hkdf(root, NO_SALT, Buffer.from('nectar/kek-sealing/1'), KEY_BYTES);
}

/** Seals the keys of purposes in keys.json, once the root key has been replaced. */
export function purposeSealingKey(crypto: EnvelopeCrypto, root: Uint8Array): Uint8Array {
  return crypto.hkdf(root, NO_SALT, Buffer.from('nectar/purpose-sealing/1'), KEY_BYTES);
}

/** Authenticates keys.json itself. */
export function macKey(crypto: EnvelopeCrypto, root: Uint8Array): Uint8Array {
  return crypto.hkdf(root, NO_SALT, Buffer.from('nectar/key-store-mac/1'), KEY_BYTES);
}
