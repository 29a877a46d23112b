import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { SplitRole } from '../table.ts';
import { TLS_BOUNDS } from './bounds.ts';
import { holderOf, roleName } from './role-name.ts';

const MAX_AUTHORITIES = 8;
/** A certificate may not name itself as its issuer for ever. */
const MAX_CHAIN = 8;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The files of a role's certificate, as cert-manager and Secrets of type kubernetes.io/tls name them. */
export interface PairFiles {
  readonly 'tls.crt': Buffer;
  readonly 'tls.key': Buffer;
  readonly 'ca.crt': Buffer;
}

/** What a role shows the others, and whom it believes. */
export interface CrossingPair {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  /** Milliseconds since 1970; of the certificate. */
  readonly notBefore: number;
  /** Milliseconds since 1970; of the certificate, or of an authority above it that ends sooner. */
  readonly notAfter: number;
  /** Fingerprints (SHA-256) of the authorities that are believed. */
  readonly authorities: ReadonlySet<string>;
}

export interface PairOwner {
  readonly role: SplitRole;
  readonly instance: string;
}

/** Why files are no certificate of this role; its message goes on with "the crossing certificate". */
export class PairError extends Error {
  override readonly name = 'PairError';
}

export function digestOf(files: PairFiles): string {
  const hash = createHash('sha256');
  for (const bytes of Object.values(files)) hash.update(createHash('sha256').update(bytes).digest());
  return hash.digest('hex');
}

/** @throws PairError */
export function parsePair(files: PairFiles, { role, instance }: PairOwner, now: number): CrossingPair {
  const chain = certificatesOf(files['tls.crt'], 'tls.crt');
  const authorities = certificatesOf(files['ca.crt'], 'ca.crt');
  const [leaf] = chain;
  if (leaf === undefined) throw new PairError('has no certificate in tls.crt');
  if (authorities.length > MAX_AUTHORITIES)
    throw new PairError(`has more than ${MAX_AUTHORITIES} authorities in ca.crt`);
  if (authorities.length === 0 || authorities.some(({ ca }) => !ca))
    throw new PairError('has something else than authorities in ca.crt');
  if (!isKeyOf(leaf, files['tls.key'])) throw new PairError('has another key in tls.key than in tls.crt');
  const holder = holderOf(leaf, instance);
  if (holder.role === undefined) throw new PairError(`is not of this role: ${holder.misfit}`);
  if (holder.role !== role) throw new PairError(`is that of ${holder.role}, not ${roleName(role, instance)}`);
  if (leaf.validFromDate.getTime() > now) throw new PairError(`is valid from ${leaf.validFromDate.toISOString()} only`);
  const notAfter = Math.min(...pathOf(leaf, chain, authorities).map(({ validToDate }) => validToDate.getTime()));
  if (notAfter <= now) throw new PairError(`expired at ${new Date(notAfter).toISOString()}`);
  const options = { cert: files['tls.crt'], key: files['tls.key'], ca: files['ca.crt'], ...TLS_BOUNDS };
  const context = createSecureContext(options);
  const notBefore = leaf.validFromDate.getTime();
  const believed = new Set(authorities.map(({ fingerprint256 }) => fingerprint256));
  return { options, context, notBefore, notAfter, authorities: believed };
}

function certificatesOf(pem: Buffer, file: keyof PairFiles): X509Certificate[] {
  try {
    return (pem.toString('latin1').match(PEM_CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
  } catch {
    throw new PairError(`cannot be read from ${file}`);
  }
}

function isKeyOf(leaf: X509Certificate, pem: Buffer): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(pem));
  } catch {
    throw new PairError('has no private key in tls.key');
  }
}

/** From the certificate up to an authority that is believed. @throws PairError when there is no such path */
function pathOf(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate[] {
  const path = [leaf];
  for (let at = leaf; path.length < MAX_CHAIN; ) {
    const issued = (issuer: X509Certificate): boolean => at.checkIssued(issuer) && at.verify(issuer.publicKey);
    const top = authorities.find(issued);
    if (top !== undefined) return [...path, top];
    const above = chain.find((one) => !path.includes(one) && issued(one));
    if (above === undefined) break;
    path.push(above);
    at = above;
  }
  throw new PairError('was issued by none of the authorities in ca.crt');
}
