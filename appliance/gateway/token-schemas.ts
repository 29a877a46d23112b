import Type, { type Static } from 'typebox';
import { Instant, ScopeName, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: tokens. */

export const TokenIdText = Type.String({ description: 'Token id: 16 random bytes in hex.', pattern: '^[0-9a-f]{32}$' });

export const TokenInfo = Type.Object(
  {
    id: TokenIdText,
    subject: Type.String(),
    name: Type.Optional(Type.String()),
    scope: Type.Array(ScopeName),
    pathHash: Type.Optional(
      Type.String({
        description: 'Of a token that stands in the path of a URL: its SHA-256 in hex. It opens `/rpc` alone.',
        pattern: '^[0-9a-f]{64}$',
      }),
    ),
    createdAt: Instant('When it was made.'),
    expiresAt: Instant('When it ends.'),
    revokedAt: Type.Optional(Instant('When it was revoked.')),
  },
  { description: 'A token, without the token itself.', ...strict },
);
export type TokenInfo = Static<typeof TokenInfo>;
export const TokenList = Type.Object(
  { tokens: Type.Array(TokenInfo) },
  { description: 'Every token of the node.', ...strict },
);
export type TokenList = Static<typeof TokenList>;
export const IssuedToken = Type.Object(
  {
    ...TokenInfo.properties,
    token: Type.String({
      description: 'The bearer token, or what stands in the path of `/rpc/…`; shown once, stored nowhere.',
      examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2ln'],
    }),
  },
  { description: 'A new token.', ...strict },
);
export type IssuedToken = Static<typeof IssuedToken>;
