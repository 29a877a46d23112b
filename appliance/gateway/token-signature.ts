import { createPrivateKey, sign } from 'node:crypto';
import { errors, type importJWK, jwtVerify } from 'jose';
import { NectarError } from '../../protocol/errors.ts';
import { SCOPES, type Scope } from './schema-parts.ts';
import { encodeBinding, parseBinding } from './token-facts.ts';
import type { CertificateBinding, TokenInfo } from './token-schemas.ts';

/** A token of ours has some 350 characters; anything much longer is not read at all. */
const MAX_TOKEN_CHARS = 2048;
export const ALGORITHM = 'EdDSA';

/** Ed25519 over the signing input. The private key stays with whoever provides this; it is there only when unlocked. */
export interface TokenSigner {
  sign(input: Uint8Array): Promise<Uint8Array>;
}

/** Size, then shape, then signature, then the claims: what an expired token says is already known to be ours. */
export async function verifySignature(
  token: string,
  { key, nodeId, now }: { key: Awaited<ReturnType<typeof importJWK>>; nodeId: string; now: number },
): Promise<Record<string, unknown>> {
  if (token.length > MAX_TOKEN_CHARS) throw new NectarError('GATEWAY_TOKEN_INVALID', {});
  try {
    const verified = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      audience: nodeId,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'scope', 'jti', 'iat', 'exp'],
    });
    return verified.payload;
  } catch (cause) {
    if (!(cause instanceof errors.JWTExpired)) throw new NectarError('GATEWAY_TOKEN_INVALID', {}, { cause });
    throw new NectarError('GATEWAY_TOKEN_EXPIRED', { expiredAt: instant(Number(cause.payload.exp)) }, { cause });
  }
}

/** A signer over an Ed25519 private key (PKCS#8 DER), for whoever unsealed it. */
export function createTokenSigner(pkcs8: Uint8Array): TokenSigner {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return { sign: async (input) => sign(null, input, key) };
}

/** JWS compact serialisation (RFC 7515, 7.1): by hand, because the signing key is not ours to hold. */
export async function signToken(info: TokenInfo, nodeId: string, signer: TokenSigner): Promise<string> {
  const claims = {
    sub: info.subject,
    scope: info.scope.join(' '),
    jti: info.id,
    aud: nodeId,
    iat: Date.parse(info.createdAt) / 1000,
    exp: Date.parse(info.expiresAt) / 1000,
    ...(info.certificate === undefined ? {} : { cnf: { certificate: encodeBinding(info.certificate) } }),
  };
  const input = `${encodePart({ alg: ALGORITHM, typ: 'JWT' })}.${encodePart(claims)}`;
  const signature = await signer.sign(Buffer.from(input, 'ascii'));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Undefined unless every scope is one we know: a token of a newer version is not half understood. */
export function parseScopes(claim: unknown): ReadonlySet<Scope> | undefined {
  if (typeof claim !== 'string') return undefined;
  const scopes = claim.split(' ');
  return scopes.every(isScope) ? new Set(scopes as Scope[]) : undefined;
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

export function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/**
 * The certificate that a token names (RFC 7800, `cnf`): a stolen token is worth nothing without the key, whatever the list says.
 * GATEWAY_TOKEN_INVALID for a confirmation that this version does not know.
 */
export function confirmationOf({ cnf }: Readonly<Record<string, unknown>>): CertificateBinding | undefined {
  if (cnf === undefined) return undefined;
  const text = typeof cnf === 'object' && cnf !== null && 'certificate' in cnf ? cnf.certificate : undefined;
  const binding = typeof text === 'string' ? parseBinding(text) : undefined;
  if (binding === undefined) throw new NectarError('GATEWAY_TOKEN_INVALID', {});
  return binding;
}
