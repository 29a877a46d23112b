import Type, { type Static } from 'typebox';
import { TokenRequest } from './request-schemas.ts';
import { Instant, strict } from './schema-parts.ts';
import { TokenInfo } from './token-schemas.ts';

/** Shapes of the HTTP API: machines that show a certificate. */

const MAX_PEM_CHARS = 16_384;
/** Of the revocation lists of all authorities together. */
export const MAX_LISTS_CHARS = 1024 * 1024;
const Pem = (description: string) => Type.String({ description, minLength: 1, maxLength: MAX_PEM_CHARS });

export const ClientRequest = Type.Object(
  {
    ...TokenRequest.properties,
    signingRequest: Type.Optional(Pem('PKCS#10 in PEM: the node signs a certificate for its key.')),
    certificate: Type.Optional(Pem('A certificate in PEM, of any issuer: the client is known by its key.')),
    certificateName: Type.Optional(
      Type.String({
        description: 'A name in certificates that an authority of the site issues.',
        pattern: '^(dns|uri):[\\x21-\\x7e]{1,256}$',
        examples: ['dns:pacs.clinic.example'],
      }),
    ),
    withToken: Type.Boolean({ description: 'A token is needed beside the certificate.', default: false }),
  },
  { description: 'A machine, by exactly one of `signingRequest`, `certificate` and `certificateName`.', ...strict },
);
export type ClientRequest = Static<typeof ClientRequest>;

export const AddedClient = Type.Object(
  {
    ...TokenInfo.properties,
    issued: Type.Optional(Type.String({ description: 'The certificate that the node signed, PEM.' })),
    issuer: Type.Optional(Type.String({ description: 'The authority that signed it, PEM.' })),
    token: Type.Optional(Type.String({ description: 'The bearer token, where one is needed; shown once.' })),
  },
  { description: 'A new client.', ...strict },
);
export type AddedClient = Static<typeof AddedClient>;

const Authority = Type.Object(
  {
    subject: Type.String(),
    fingerprint: Type.String({ description: 'SHA-256 of the certificate.' }),
    expiresAt: Instant('When it ends.'),
    own: Type.Boolean({ description: "The node's own; the others are the site's." }),
  },
  strict,
);
export const ClientAuthorityList = Type.Object(
  { authorities: Type.Array(Authority), required: Type.Boolean({ description: 'No caller without a certificate.' }) },
  {
    description: "Whose certificates clients may show; of the site's, a name in them may stand for a client.",
    ...strict,
  },
);
export type ClientAuthorityList = Static<typeof ClientAuthorityList>;

export const RevocationStanding = Type.Object(
  {
    subject: Type.String(),
    fingerprint: Type.String({ description: "SHA-256 of the authority's certificate." }),
    state: Type.Union(
      [
        Type.Literal('current'),
        Type.Literal('expired'),
        Type.Literal('early'),
        Type.Literal('missing'),
        Type.Literal('behind'),
        Type.Literal('unreadable'),
      ],
      { description: 'Unless it is current, no certificate of this authority is good.' },
    ),
    number: Type.Optional(Type.String({ description: 'CRL number, decimal.' })),
    nextUpdate: Type.Optional(Instant('When the list ends.')),
    revoked: Type.Optional(Type.Integer({ description: 'Certificates in it.', minimum: 0 })),
  },
  { description: 'The revocation list of an authority of the site.', ...strict },
);
export type RevocationStanding = Static<typeof RevocationStanding>;

export const RevocationStandings = Type.Object(
  { revocations: Type.Array(RevocationStanding) },
  { description: 'The authorities of the site that gave a revocation list, and are held to it.', ...strict },
);

export const RevocationBundle = Type.Object(
  {
    lists: Type.String({
      description: 'Revocation lists (CRLs) in PEM, each in place of the one of its authority; empty forgets all.',
      maxLength: MAX_LISTS_CHARS,
    }),
  },
  { description: 'What authorities of the site took back.', ...strict },
);
export type RevocationBundle = Static<typeof RevocationBundle>;

export const ClientAuthorityBundle = Type.Object(
  {
    certificates: Type.String({
      description: 'Certificates of authorities in PEM; empty takes away what was there.',
      maxLength: 48 * 1024,
    }),
  },
  { description: 'The authorities of the site; they replace those that were there.', ...strict },
);
export type ClientAuthorityBundle = Static<typeof ClientAuthorityBundle>;
