import { type Argon2Parameters, argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import Type, { type Static } from 'typebox';
import { KEY_BYTES } from '../../protocol/envelope/crypto.ts';

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;

/** Argon2id in the stored form. The bounds hold before it runs: a hostile keys.json must not exhaust memory or time. */
export const argon2Parameters = Type.Object(
  {
    algorithm: Type.Literal('argon2id'),
    memoryKiB: Type.Integer({ minimum: 64 * 1024, maximum: 512 * 1024 }),
    passes: Type.Integer({ minimum: 1, maximum: 16 }),
    parallelism: Type.Integer({ minimum: 1, maximum: 16 }),
    salt: Type.String({ minLength: 24, maxLength: 64, pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
  },
  { additionalProperties: false },
);

export type PassphraseKdf = Static<typeof argon2Parameters>;

/** The second recommended parameter set of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes. */
export const DEFAULT_ARGON2 = { memoryKiB: 64 * 1024, passes: 3, parallelism: 4 } as const;
export const ARGON2_SALT_BYTES = 16;
export const MIN_PASSPHRASE_BYTES = 8;

/** The 32-byte key that wraps the root key. The caller wipes it. */
export async function passphraseKey(passphrase: Uint8Array, kdf: PassphraseKdf): Promise<Uint8Array> {
  return derive('argon2id', {
    message: passphrase,
    nonce: Buffer.from(kdf.salt, 'base64'),
    memory: kdf.memoryKiB,
    passes: kdf.passes,
    parallelism: kdf.parallelism,
    tagLength: KEY_BYTES,
  });
}
