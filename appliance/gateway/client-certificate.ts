// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { X509Certificate as ParsedCertificate, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { NectarError } from '../../protocol/errors.ts';
import { serialOf } from './revocation-list.ts';
import type { CertificateBinding } from './token-schemas.ts';

/** A chain of the site's authorities is shorter; a certificate may not name itself as its issuer for ever. */
const MAX_CHAIN = 8;
const MAX_NAMES = 64;

/** A certificate whose key the peer has proved to hold, in the handshake of its connection. */
export interface ClientCertificate {
  /** SHA-256 of its public key, hex. */
  readonly key: string;
  /** What an authority of the site says that it stands for, `dns:` or `uri:`; none when no authority of the site does. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** From it up to the authority of the site, as OpenSSL built the chain; empty when there is none that holds. */
  readonly chain: readonly ChainLink[];
}

/** One certificate of a chain: what a revocation list of its issuer would call it. */
export interface ChainLink {
  /** Serial number, hex as in DER. */
  readonly serial: string;
  /** Hash of the issuer's key. */
  readonly issuer: string;
}

export interface ClientCertificates {
  /** undefined when the connection shows none. */
  of(socket: Socket): ClientCertificate | undefined;
}

interface Shown extends ClientCertificate {
  /** Fingerprints of the certificates that vouch for it; empty when the chain does not hold. */
  readonly vouchers: readonly string[];
}

/** @param isSite whether a fingerprint is that of an authority of the site, now: one that is taken away vouches for nobody */
export function createClientCertificates(isSite: (fingerprint256: string) => boolean): ClientCertificates {
  const known = new WeakMap<Socket, Shown | 'none'>();
  return {
    of(socket) {
      let shown = known.get(socket);
      if (shown === undefined) {
        shown = readShown(socket as TLSSocket) ?? 'none';
        known.set(socket, shown);
      }
      if (shown === 'none') return undefined;
      const { vouchers, names, ...certificate } = shown;
      return { ...certificate, names: vouchers.some(isSite) ? names : [] };
    },
  };
}

/** Whether a certificate is the one that a client is bound to. */
export function isBoundTo({ key, names }: ClientCertificate, binding: CertificateBinding): boolean {
  if (binding.key !== undefined) return binding.key === key;
  return binding.name !== undefined && names.includes(binding.name);
}

/** Its dates are held against our own clock with every request: a connection may last longer than its certificate. */
export function requireInTime({ validFrom, validTo }: ClientCertificate, now: number): void {
  if (now > validTo)
    throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_EXPIRED', { expiredAt: new Date(validTo).toISOString() });
  if (now < validFrom)
    throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_NOT_YET', { validFrom: new Date(validFrom).toISOString() });
}

/** SHA-256 of the public key of a certificate, hex: stays the same when a certificate is renewed for its key. */
export function keyHash(certificate: X509Certificate): string {
  return keyHashOf(certificate.publicKey);
}

export function keyHashOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A certificate that cannot be read is one of nobody. Its text comes from a stranger: dates and key only, until it is vouched for. */
function readShown(socket: TLSSocket): Shown | undefined {
  // A resumed session without a certificate counts as authorized: the certificate itself is what is asked for.
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined) return undefined;
  const validFrom = certificate.validFromDate.getTime();
  const validTo = certificate.validToDate.getTime();
  const above = socket.authorized ? issuersOf(socket) : [];
  const vouchers = above.map(({ fingerprint256 }) => fingerprint256);
  try {
    const names = above.length === 0 ? [] : namesOf(certificate.raw);
    return { key: keyHash(certificate), names, validFrom, validTo, vouchers, chain: linksOf([certificate, ...above]) };
  } catch {
    return { key: '', names: [], validFrom, validTo, vouchers: [], chain: [] };
  }
}

function issuersOf(socket: TLSSocket): DetailedPeerCertificate[] {
  const issuers: DetailedPeerCertificate[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true).issuerCertificate;
  while (at?.fingerprint256 !== undefined && issuers.length < MAX_CHAIN) {
    const { fingerprint256 } = at;
    if (issuers.some((one) => one.fingerprint256 === fingerprint256)) break;
    issuers.push(at);
    at = at.issuerCertificate;
  }
  return issuers;
}

function linksOf(chain: readonly { readonly raw: Uint8Array }[]): ChainLink[] {
  return chain.slice(1).map((issuer, below) => ({
    serial: serialOf(chain[below]?.raw ?? issuer.raw),
    issuer: keyHash(new X509Certificate(issuer.raw)),
  }));
}

/** Read as data, not from OpenSSL's text, in which a name could pretend to be two. */
function namesOf(raw: Uint8Array): string[] {
  const extension = new ParsedCertificate(new Uint8Array(raw)).getExtension(SubjectAlternativeNameExtension);
  return (extension?.names.items ?? [])
    .slice(0, MAX_NAMES)
    .flatMap(({ type, value }) =>
      type === 'dns' ? `dns:${value.toLowerCase()}` : type === 'url' ? `uri:${value}` : [],
    );
}
