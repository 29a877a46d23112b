import Type, { type Static } from 'typebox';
import type { KeyStore } from './key-store-schema.ts';
import { FROM_SECRET } from './providers/from-secret.ts';
import { argon2Parameters } from './providers/passphrase.ts';

const base64 = (maxLength: number) => Type.String({ minLength: 4, maxLength, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const time = Type.String({ minLength: 20, maxLength: 30 });
const kekId = Type.String({ pattern: '^kek/[1-9][0-9]{0,6}$' });
const strict = { additionalProperties: false };

/** The first format: KEKs derived from the root key, and no word of which version of itself it is. Read, never written. */
export const keyStoreVersion1 = Type.Object(
  {
    version: Type.Literal(1),
    createdAt: time,
    current: kekId,
    keks: Type.Array(Type.Object({ id: kekId, createdAt: time }, strict), { minItems: 1, maxItems: 10_000 }),
    providers: Type.Array(
      Type.Union([
        Type.Object(
          {
            provider: Type.Literal('passphrase'),
            createdAt: time,
            kdf: argon2Parameters,
            sealed: base64(256),
          },
          strict,
        ),
        Type.Object(
          {
            provider: Type.Literal('file'),
            createdAt: time,
            salt: FROM_SECRET.salt,
            sealed: base64(256),
          },
          strict,
        ),
      ]),
      { minItems: 1, maxItems: 16 },
    ),
    mac: base64(64),
  },
  strict,
);

/** Its KEKs go on as what they are, until no record uses them; the next change of the list writes version 2. */
export function fromVersion1(file: Static<typeof keyStoreVersion1>): KeyStore {
  const { createdAt, current, keks, providers } = file;
  return {
    createdAt,
    generation: 0,
    current,
    keks: keks.map((kek) => ({ ...kek, derived: true as const })),
    providers: providers.map((entry, index) => ({ id: `${entry.provider}-${index + 1}`, ...entry })),
  };
}
