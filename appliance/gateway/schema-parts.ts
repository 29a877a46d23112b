import Type, { type Static } from 'typebox';

/** The parts of which the shapes of the HTTP API are made: validation, OpenAPI and, as `Static` types, the clients read the same declarations. */

const EXAMPLE_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
export const EXAMPLE_PEER = '12D3KooWJ7HcDQK5LgRC9vqtBrHKy1Vc5QpRcPrXGzJfVLBrCxRm';
export const EXAMPLE_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export const strict = { additionalProperties: false };
export const Instant = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-23T06:00:00.000Z'] });
export const Count = (description: string) => Type.Integer({ description, minimum: 0, examples: [3] });

export const RecordIdText = Type.String({
  description: 'Record id: 16 random bytes in hex.',
  pattern: '^[0-9a-f]{32}$',
  examples: ['3f2a9c5e7b1d4f608192a3b4c5d6e7f8'],
});
export const CidText = Type.String({ description: 'CIDv1 of the ciphertext.', examples: [EXAMPLE_CID] });
export const Digest = Type.String({
  description: 'SHA-256, hex.',
  pattern: '^[0-9a-f]{64}$',
  examples: [EXAMPLE_ROOT],
});
export const Version = Type.Integer({ description: 'Version of the record, from 1.', minimum: 1, examples: [1] });

export const SCOPES = [
  'records:read',
  'records:write',
  'records:delete',
  'audit:read',
  'node:read',
  'rpc',
  'backups:make',
  'backups:write',
  'backups:prune',
  'admin',
] as const;
export const ScopeName = Type.Enum([...SCOPES], {
  description:
    'What a token may do; `admin` implies every other scope. `backups:make` is for a backup of this node; `backups:write` and `backups:prune` are of another node that keeps its backups here.',
  examples: ['records:read'],
});
export type Scope = (typeof SCOPES)[number];

export const Recorded = Type.Object(
  { auditLeaf: Count('Index of the leaf.') },
  { description: 'The leaf of the audit log that says so.', ...strict },
);
export type Recorded = Static<typeof Recorded>;

/** An answer that is bytes of this type. */
export const Binary = (description: string, type: string) => ({
  description,
  content: { [type]: { schema: { type: 'string', format: 'binary' } } },
});
