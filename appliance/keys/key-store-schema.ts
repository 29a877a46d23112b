import Type, { type Static, type TObject } from 'typebox';
import { MAX_INDEX_SECRET_BYTES } from '../../protocol/envelope/index-secret.ts';
import { SEALED_VALUE_OVERHEAD_BYTES } from '../../protocol/envelope/sealed-value.ts';
import { KEY_PURPOSES, type KeyPurpose } from './hierarchy.ts';
import { PROVIDERS } from './providers/registry.ts';

const MAX_KEKS = 10_000;
export const MAX_PROVIDERS = 16;

const MAX_SEALED_CHARS = 4 * Math.ceil((MAX_INDEX_SECRET_BYTES + SEALED_VALUE_OVERHEAD_BYTES) / 3);

const base64 = (maxLength: number) => Type.String({ minLength: 4, maxLength, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const time = Type.String({ minLength: 20, maxLength: 30 });
const kekId = Type.String({ pattern: '^kek/[1-9][0-9]{0,9}$' });
const strict = { additionalProperties: false };

/** One way in, as keys.json says it; beside these, what the provider itself keeps. */
export interface ProviderEntry {
  readonly id: string;
  readonly provider: string;
  readonly createdAt: string;
  readonly sealed: string;
  readonly [payload: string]: unknown;
}

/** A KEK is random and sealed by the root key; derived from it, if version 1 made it; or no more. */
const kekEntry = Type.Union([
  Type.Object({ id: kekId, createdAt: time, sealed: base64(256) }, strict),
  Type.Object({ id: kekId, createdAt: time, derived: Type.Literal(true) }, strict),
  Type.Object({ id: kekId, createdAt: time, destroyedAt: time }, strict),
]);

const purposeEntry = Type.Object(
  {
    purpose: Type.Unsafe<KeyPurpose>(Type.Union(KEY_PURPOSES.map((purpose) => Type.Literal(purpose)))),
    sealed: base64(MAX_SEALED_CHARS),
    /** The key before, while something may still be sealed by it. */
    former: Type.Optional(base64(256)),
    /** The key to come: what the current one seals is sealed anew by it at the next start. */
    next: Type.Optional(base64(MAX_SEALED_CHARS)),
  },
  strict,
);

const providerEntries: TObject[] = PROVIDERS.map(({ name, payload }) =>
  Type.Object(
    {
      id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
      provider: Type.Literal(name),
      createdAt: time,
      sealed: base64(256),
      ...payload,
    },
    strict,
  ),
);

/** HOME/keys.json, version 2. */
export const keyStoreSchema = Type.Object(
  {
    version: Type.Literal(2),
    createdAt: time,
    /** Counts the changes of this file: an older copy authenticates as well, and only this tells it from the newest. */
    generation: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    current: kekId,
    keks: Type.Array(kekEntry, { minItems: 1, maxItems: MAX_KEKS }),
    providers: Type.Array(Type.Unsafe<ProviderEntry>(Type.Union(providerEntries)), {
      minItems: 1,
      maxItems: MAX_PROVIDERS,
    }),
    /** Absent in a list of the first root key: these keys derive from it. */
    purposes: Type.Optional(Type.Array(purposeEntry, { minItems: KEY_PURPOSES.length, maxItems: KEY_PURPOSES.length })),
    mac: base64(64),
    /** SHA-256 of everything above: tells a damaged file from a wrong passphrase before there is a key to check the MAC with. */
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  strict,
);

export type SignedKeyStore = Static<typeof keyStoreSchema>;
export type PurposeEntry = Static<typeof purposeEntry>;
export type KekEntry = Static<typeof kekEntry>;
/** What keys.json says. A file of version 1 has generation 0: it counted nothing. */
export type KeyStore = Omit<SignedKeyStore, 'mac' | 'digest' | 'version'>;
