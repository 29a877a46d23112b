import Type from 'typebox';
import { type EnvelopeCrypto, KEY_BYTES } from '../../../protocol/envelope/crypto.ts';
import { NectarError } from '../../../protocol/errors.ts';

const SALT_BYTES = 32;
/** It is not stretched: it must be no passphrase. */
export const MIN_SECRET_BYTES = 32;

/** The payload of a provider that yields a secret of full strength. */
export const FROM_SECRET = {
  salt: Type.String({ minLength: 4, maxLength: 64, pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
};

export function newSalt({ randomBytes }: { readonly randomBytes: (length: number) => Uint8Array }): string {
  return Buffer.from(randomBytes(SALT_BYTES)).toString('base64');
}

/** HKDF-SHA256(secret, salt, info = "nectar/key-PROVIDER/1"): a secret that opens two nodes gives each another key. Wipes the secret. */
export function keyOfSecret(
  provider: string,
  { secret, salt }: { readonly secret: Uint8Array; readonly salt: string },
  { crypto }: { readonly crypto: EnvelopeCrypto },
): Uint8Array {
  const info = Buffer.from(`nectar/key-${provider}/1`);
  const key = crypto.hkdf(secret, Buffer.from(salt, 'base64'), info, KEY_BYTES);
  secret.fill(0);
  return key;
}

/** A secret that is used as it is must be as long as a key. Wipes what it refuses. @throws NectarError KEY_SECRET_SHORT */
export function requireStrength(
  secret: Uint8Array,
  { provider, source }: { readonly provider: string; readonly source: string },
): void {
  const bytes = secret.length;
  if (bytes >= MIN_SECRET_BYTES) return;
  secret.fill(0);
  throw new NectarError('KEY_SECRET_SHORT', { provider, source, bytes, minimumBytes: MIN_SECRET_BYTES });
}
