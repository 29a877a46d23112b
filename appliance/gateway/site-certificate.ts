/**
 * A certificate of the site's own authority, which the gateway shows to clients that ask by one of its names (RFC 6066, 3). Everybody
 * else, the command line of this machine among them, gets the node's own as before: a site's certificate that ends, or was a mistake,
 * locks nobody out.
 */
// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { X509Certificate as Parsed } from '@peculiar/x509';
import { NectarError } from '../../protocol/errors.ts';
import { certificateNames } from './tls.ts';

const MAX_PEM_BYTES = 64 * 1024;
const MAX_CHAIN = 8;
const MIN_RSA_BITS = 2048;
const STRONG_CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const STRONG_TYPES: ReadonlySet<string> = new Set(['ed25519', 'ed448']);
const WEAK_HASHES: ReadonlySet<string> = new Set(['SHA-1', 'MD5']);
/** id-kp-serverAuth, and anyExtendedKeyUsage. */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const DNS_NAME = /^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/;

export interface SitePair {
  /** PEM: the certificate, then those of the authorities between it and what clients trust. */
  readonly cert: Buffer;
  /** PEM, without a passphrase. */
  readonly key: Buffer;
}

export interface CheckedSitePair extends SitePair {
  /** DNS names: clients that ask by an address name none. */
  readonly names: readonly string[];
  readonly validTo: number;
}

/** Where the pair lies, beside the node's own. */
export function sitePaths(ownCertificatePath: string): { readonly cert: string; readonly key: string } {
  const at = (name: string): string => join(dirname(ownCertificatePath), name);
  return { cert: at('site.crt'), key: at('site.key') };
}

/** The pair that lies there; undefined where there is none, or half of one. @throws NectarError GATEWAY_SITE_CERTIFICATE_INVALID */
export async function findSitePair(paths: {
  readonly cert: string;
  readonly key: string;
}): Promise<SitePair | undefined> {
  const [cert, key] = [await findSmall(paths.cert), await findSmall(paths.key)];
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function findSmall(path: string): Promise<Buffer | undefined> {
  try {
    if ((await stat(path)).size > MAX_PEM_BYTES) throw refused(`${path} is larger than ${MAX_PEM_BYTES} bytes`);
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Checks a pair before it is shown to anybody: names, key, chain, strength, and both ends of every certificate.
 *
 * @throws NectarError GATEWAY_SITE_CERTIFICATE_INVALID
 */
export function checkSitePair({ cert, key }: SitePair, now: number): CheckedSitePair {
  const chain = parseChain(cert);
  const [leaf] = chain;
  if (leaf === undefined) throw refused('there is no certificate in it');
  if (leaf.ca) throw refused('the first certificate is that of an authority: put the one of the server first');
  if (!leaf.checkPrivateKey(parseKey(key))) throw refused('the key is not that of the certificate');
  for (const one of chain) requireSound(one, now);
  for (const [below, link] of chain.slice(0, -1).entries()) {
    const above = chain[below + 1];
    if (above !== undefined && !(link.checkIssued(above) && link.verify(above.publicKey)))
      throw refused(
        `certificate ${below + 2} did not issue certificate ${below + 1}: the order is server first, root last`,
      );
  }
  const usages = leaf.keyUsage ?? [];
  if (usages.length > 0 && !usages.some((usage) => SERVER_USAGES.includes(usage)))
    throw refused('it is not for servers (extended key usage)');
  const names = certificateNames(leaf.toString()).filter((name) => DNS_NAME.test(name) && !/^[\d.]+$/.test(name));
  if (names.length === 0) throw refused('it has no DNS name among its alternative names');
  return { cert, key, names, validTo: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())) };
}

function parseChain(pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  if (blocks.length > MAX_CHAIN) throw refused(`it has more than ${MAX_CHAIN} certificates`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw refused('a certificate in it is damaged', cause);
  }
}

function parseKey(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw refused('the key is no private key in PEM without a passphrase', cause);
  }
}

function requireSound(certificate: X509Certificate, now: number): void {
  const { validFromDate, validToDate, publicKey, subject } = certificate;
  const who = subject.replaceAll('\n', ', ');
  if (validFromDate.getTime() > now) throw refused(`${who} begins at ${validFromDate.toISOString()}`);
  if (validToDate.getTime() <= now) throw refused(`${who} ended at ${validToDate.toISOString()}`);
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType ?? 'unknown';
  const isStrong =
    STRONG_TYPES.has(type) ||
    (type.startsWith('rsa') && modulusLength >= MIN_RSA_BITS) ||
    (type === 'ec' && STRONG_CURVES.has(namedCurve));
  if (!isStrong) throw refused(`the key of ${who} is too weak (${type} ${modulusLength || namedCurve})`);
  const { hash } = new Parsed(certificate.toString()).signatureAlgorithm as { hash?: { name?: string } };
  if (WEAK_HASHES.has(hash?.name ?? '')) throw refused(`${who} is signed by way of ${hash?.name}`);
}

function refused(problem: string, cause?: unknown): NectarError {
  return new NectarError('GATEWAY_SITE_CERTIFICATE_INVALID', { problem }, { cause });
}
