import { type Argon2Parameters, argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import Type, { type Static } from 'typebox';
import { KEY_BYTES } from '../../../protocol/envelope/crypto.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { requireStrongPassphrase } from '../passphrase-strength.ts';
import { canonicalPassphrase } from '../passphrase-text.ts';
import { defineProvider } from '../provider.ts';

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
type PassphraseKdf = Static<typeof argon2Parameters>;

/** The second recommended parameter set of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes. */
const DEFAULT_ARGON2 = { memoryKiB: 64 * 1024, passes: 3, parallelism: 4 } as const;
const ARGON2_SALT_BYTES = 16;

export const passphraseProvider = defineProvider({
  name: 'passphrase',
  title: 'a passphrase',
  attended: true,
  payload: {
    kdf: argon2Parameters,
    /** `nfc`: of the canonical text. Without it, of the bytes as they were given, whatever they were. */
    text: Type.Optional(Type.Literal('nfc')),
  },
  settings: {},
  async enroll(_, { randomBytes }, secret = new Uint8Array(0)) {
    const passphrase = canonicalPassphrase(secret);
    if (passphrase === undefined) throw new NectarError('KEY_PASSPHRASE_INVALID', {});
    try {
      await requireStrongPassphrase(passphrase);
      const salt = Buffer.from(randomBytes(ARGON2_SALT_BYTES)).toString('base64');
      const kdf: PassphraseKdf = { algorithm: 'argon2id', ...DEFAULT_ARGON2, salt };
      return { payload: { kdf, text: 'nfc' as const }, key: await passphraseKey(passphrase, kdf) };
    } finally {
      passphrase.fill(0);
    }
  },
  async open({ kdf, text }, _, secret = new Uint8Array(0)) {
    const canonical = canonicalPassphrase(secret) ?? secret;
    // What was enrolled before texts were made canonical opens by its own bytes as well.
    const same = text === 'nfc' || Buffer.compare(canonical, secret) === 0;
    const keys = [await passphraseKey(canonical, kdf)];
    if (!same) keys.push(await passphraseKey(secret, kdf));
    if (canonical !== secret) canonical.fill(0);
    return keys;
  },
  wrong: () => new NectarError('KEY_PASSPHRASE_WRONG', {}),
});

/** The 32-byte key that wraps the root key. */
async function passphraseKey(passphrase: Uint8Array, kdf: PassphraseKdf): Promise<Uint8Array> {
  return derive('argon2id', {
    message: passphrase,
    nonce: Buffer.from(kdf.salt, 'base64'),
    memory: kdf.memoryKiB,
    passes: kdf.passes,
    parallelism: kdf.parallelism,
    tagLength: KEY_BYTES,
  });
}
