import Type, { type Static } from 'typebox';
import { Digest, SCOPES, ScopeName } from './schema-parts.ts';

/** The JSON bodies that clients send. */

const strict = { additionalProperties: false };

const PROVIDER_NAME = '^[a-z][a-z0-9-]{0,31}$';

export const UnlockRequest = Type.Union(
  [
    Type.Object(
      { passphrase: Type.String({ minLength: 1, maxLength: 1024, examples: ['correct horse battery staple'] }) },
      strict,
    ),
    Type.Object(
      { provider: Type.String({ pattern: PROVIDER_NAME, examples: ['any', 'file', 'tpm2'] }) },
      { description: 'A provider that needs nobody tries again; `any` of them.', ...strict },
    ),
  ],
  { description: 'How to unlock: with a passphrase, or by what the node finds by itself.' },
);
export type UnlockRequest = Static<typeof UnlockRequest>;

export const ProviderRequest = Type.Object(
  {
    provider: Type.String({ pattern: PROVIDER_NAME, examples: ['passphrase'] }),
    passphrase: Type.Optional(
      Type.String({ description: 'Of a provider that is attended.', minLength: 1, maxLength: 1024 }),
    ),
    settings: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,31}$' }),
        Type.Union([
          Type.String({ maxLength: 4096 }),
          Type.Integer(),
          Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 64 }),
        ]),
        { description: 'What `nectar-byon keys enroll PROVIDER --help` names.', maxProperties: 16 },
      ),
    ),
  },
  { description: 'One more way to open the node.', ...strict },
);
export type ProviderRequest = Static<typeof ProviderRequest>;

export const RecoveryKitNote = Type.Object(
  {
    digest: Type.String({ description: 'SHA-256 of the kit, in hex.', pattern: '^[0-9a-f]{64}$' }),
    threshold: Type.Integer({ description: 'How many officers it takes.', minimum: 1, maximum: 64 }),
    officers: Type.Array(Type.String({ description: 'OpenPGP fingerprint.', pattern: '^[0-9A-F]{40,64}$' }), {
      minItems: 1,
      maxItems: 64,
    }),
  },
  { description: 'The root key, sealed to recovery officers, is about to leave this machine.', ...strict },
);
export type RecoveryKitNote = Static<typeof RecoveryKitNote>;

export const TokenRequest = Type.Object(
  {
    subject: Type.String({
      description: 'Whom the token speaks for.',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._@:-]{0,127}$',
      examples: ['pacs-archive'],
    }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: '^[^\\u0000-\\u001f\\u007f]*$',
        examples: ['PACS archive'],
      }),
    ),
    scope: Type.Array(ScopeName, {
      minItems: 1,
      maxItems: SCOPES.length,
      uniqueItems: true,
      examples: [['records:read', 'records:write']],
    }),
    inPath: Type.Optional(
      Type.Boolean({
        description:
          'For a wallet, which can send no header: the token stands in the path of `/rpc/…`; scope `rpc` alone.',
      }),
    ),
    expiresInSeconds: Type.Integer({ minimum: 1, maximum: 366 * 86_400, default: 30 * 86_400 }),
  },
  strict,
);
export type TokenRequest = Static<typeof TokenRequest>;

const Instant = (description: string) =>
  Type.String({ description, format: 'date-time', maxLength: 32, examples: ['2026-11-23T06:00:00.000Z'] });

export const RekeyRequest = Type.Object(
  {
    load: Type.Integer({
      description: 'Percent of the time that it works; it rests for the others, so that the node goes on serving.',
      minimum: 1,
      maximum: 100,
      default: 50,
    }),
  },
  strict,
);
export type RekeyRequest = Static<typeof RekeyRequest>;

export const RootRequest = Type.Object(
  {
    passphrase: Type.Optional(
      Type.String({ description: 'Of the providers that are attended.', minLength: 1, maxLength: 1024 }),
    ),
    without: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), {
        description: 'Ids of providers that are to open the node no more.',
        maxItems: 16,
      }),
    ),
  },
  { description: 'What opens the new root key.', ...strict },
);
export type RootRequest = Static<typeof RootRequest>;

export const KeepReplacedRequest = Type.Object(
  { seconds: Type.Integer({ description: 'From now on; ask again before they are over.', minimum: 1, maximum: 600 }) },
  { description: 'How long replaced ciphertext is kept.', ...strict },
);
export type KeepReplacedRequest = Static<typeof KeepReplacedRequest>;

export const FsckRequest = Type.Object(
  { accept: Type.Boolean({ description: 'Take the index for what it is.', default: false }) },
  strict,
);
export type FsckRequest = Static<typeof FsckRequest>;

export const CopyReport = Type.Object(
  {
    what: Type.Union([Type.Literal('backup'), Type.Literal('restore')]),
    at: Instant('When it was done.'),
    backupCreatedAt: Instant('What the backup itself says of its moment.'),
    entries: Type.Integer({ description: 'Files in it.', minimum: 0, examples: [31] }),
    bytes: Type.Integer({ description: 'Bytes of these files.', minimum: 0, examples: [1_048_576] }),
    manifestSha256: Digest,
  },
  { description: 'A backup that was made of the node, or that it was made of.', ...strict },
);
export type CopyReport = Static<typeof CopyReport>;
