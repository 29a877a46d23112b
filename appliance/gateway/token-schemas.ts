import Type, { type Static } from 'typebox';
import { Instant, ScopeName, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: tokens. */

export const TokenIdText = Type.String({ description: 'Token id: 16 random bytes in hex.', pattern: '^[0-9a-f]{32}$' });

export const CertificateBinding = Type.Object(
  {
    key: Type.Optional(
      Type.String({
        description: "SHA-256 of the certificate's public key (SubjectPublicKeyInfo), hex.",
        pattern: '^[0-9a-f]{64}$',
      }),
    ),
    name: Type.Optional(
      Type.String({
        description: 'A subject alternative name in certificates of an authority of the site.',
        pattern: '^(dns|uri):[\\x21-\\x7e]{1,256}$',
        examples: ['dns:pacs.clinic.example'],
      }),
    ),
    alone: Type.Boolean({ description: 'The certificate is enough; false: the token is needed beside it.' }),
  },
  { description: 'The certificate that has to be shown, by its key or by a name in it.', ...strict },
);
export type CertificateBinding = Static<typeof CertificateBinding>;

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
    certificate: Type.Optional(CertificateBinding),
  },
  { description: 'A token, without the token itself; or a client that a certificate stands for.', ...strict },
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
