// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  type Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { NectarError } from '../../protocol/errors.ts';
import { encodeNameConstraints, isPermittedName, NAME_CONSTRAINTS_OID } from './name-constraints.ts';

const DAY_MS = 86_400_000;
export const CA_LIFETIME_MS = 3652 * DAY_MS;
/** The longest that browsers accept. */
const SERVER_LIFETIME_MS = 397 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** A client whose clock is a little behind still accepts a certificate made just now. */
export const CLOCK_SKEW_MS = 5 * 60_000;
const SERIAL_BYTES = 16;
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const MAX_DNS_NAME_CHARS = 253;
const DNS_NAME = /^(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*$/;
const ALWAYS = ['localhost', '127.0.0.1', '::1'];

export interface CertificateRequest {
  readonly nodeId: string;
  /** The machine's own name. */
  readonly hostName: string;
  /** Further DNS names and addresses that clients use. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ServerCertificate {
  /** PEM. */
  readonly serverCertificate: string;
  /** PEM, PKCS#8. */
  readonly serverKey: string;
}

export interface Certificates extends ServerCertificate {
  /** PEM; what clients trust. */
  readonly caCertificate: string;
  /** PKCS#8 DER; to be sealed by the caller and then wiped. */
  readonly caKey: Uint8Array;
}

/** The node's own CA (name-constrained, 10 years, no sub-CA) and a first server certificate. */
export async function createCertificates(request: CertificateRequest): Promise<Certificates> {
  const names = allNames(request);
  const keys = await generateKeys();
  const subject = [{ CN: [`Nectar BYON node ${request.nodeId.slice(0, 8)} CA`] }];
  const ca = await createAuthority({ keys, subject, request });
  const caCertificate = ca.toString('pem');
  const caKey = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const server = await issue({ ca, caKey: keys.privateKey, names, request });
  return { caCertificate: withNewline(caCertificate), caKey, ...server };
}

/**
 * A new server certificate and key from the node's CA, for the names given.
 *
 * @throws NectarError GATEWAY_CERTIFICATE_NAME_EXCLUDED for a name that the CA's constraints leave out
 */
export async function renewServerCertificate(
  request: CertificateRequest & { readonly caCertificate: string; readonly caKey: Uint8Array },
): Promise<ServerCertificate> {
  const ca = new X509Certificate(request.caCertificate);
  const names = allNames(request);
  const [excluded] = names.filter((name) => !mayCertify(ca, name));
  if (excluded !== undefined) throw new NectarError('GATEWAY_CERTIFICATE_NAME_EXCLUDED', { name: excluded });
  const caKey = await webcrypto.subtle.importKey('pkcs8', request.caKey, ALGORITHM, false, ['sign']);
  return issue({ ca, caKey, names, request });
}

/** Those of the names that a CA's constraints let it certify. */
export function permittedNames(caCertificatePem: string, names: readonly string[]): string[] {
  const ca = new X509Certificate(caCertificatePem);
  return names.filter((name) => mayCertify(ca, name));
}

function mayCertify(ca: X509Certificate, name: string): boolean {
  const constraints = ca.getExtension(NAME_CONSTRAINTS_OID);
  return constraints === null || isPermittedName(new Uint8Array(constraints.value), name);
}

/** True in the last thirty days of a certificate's life, after it, and before it: one that a clock once ahead has made is good for nobody. */
export function isRenewalDue(certificatePem: string, now: number): boolean {
  const { notBefore, notAfter } = new X509Certificate(certificatePem);
  return notAfter.getTime() - RENEW_BEFORE_MS <= now || notBefore.getTime() > now;
}

/** Whether the node's CA can be trusted now: what it issues is no better. */
export function isAuthorityInForce(certificatePem: string, now: number): boolean {
  const { notBefore, notAfter } = new X509Certificate(certificatePem);
  return notBefore.getTime() <= now && now < notAfter.getTime();
}

/**
 * The certificate of the node's CA made anew from now on, with its own key, for the names that it was made for and those given. Clients
 * need the new one.
 */
export async function renewAuthority(
  request: CertificateRequest & { readonly caCertificate: string; readonly caKey: Uint8Array },
): Promise<string> {
  const old = new X509Certificate(request.caCertificate);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', request.caKey, ALGORITHM, false, ['sign']);
  const publicKey = await old.publicKey.export(ALGORITHM, ['verify']);
  const ca = await createAuthority({ keys: { privateKey, publicKey }, subject: old.subjectName, request });
  return withNewline(ca.toString('pem'));
}

/** The DNS names and addresses that a certificate is for. */
export function certificateNames(certificatePem: string): string[] {
  const extension = new X509Certificate(certificatePem).getExtension(SubjectAlternativeNameExtension);
  return extension?.names.items.map((name) => name.value) ?? [];
}

interface Authority {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly subject: Name | JsonName;
  readonly request: CertificateRequest;
}

async function createAuthority({ keys, subject, request }: Authority): Promise<X509Certificate> {
  return X509CertificateGenerator.createSelfSigned({
    serialNumber: createSerial(),
    name: subject,
    notBefore: new Date(request.now - CLOCK_SKEW_MS),
    notAfter: new Date(request.now + CA_LIFETIME_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      new Extension(NAME_CONSTRAINTS_OID, true, encodeNameConstraints(allNames(request))),
    ],
  });
}

interface Issue {
  readonly ca: X509Certificate;
  readonly caKey: webcrypto.CryptoKey;
  readonly names: readonly string[];
  readonly request: CertificateRequest;
}

async function issue({ ca, caKey, names, request }: Issue): Promise<ServerCertificate> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: [{ CN: [`Nectar BYON node ${request.nodeId.slice(0, 8)}`] }],
    issuer: ca.subjectName,
    notBefore: new Date(request.now - CLOCK_SKEW_MS),
    notAfter: new Date(Math.min(request.now + SERVER_LIFETIME_MS, ca.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: caKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    serverCertificate: withNewline(certificate.toString('pem')),
    serverKey: withNewline(PemConverter.encode(key, PemConverter.PrivateKeyTag)),
  };
}

export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Positive and never zero (RFC 5280, 4.1.2.2). */
export function createSerial(): string {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.toString('hex');
}

/** A machine may have a name that no certificate can carry: it is left out. A name asked for by a person is refused aloud. */
function allNames(request: CertificateRequest): string[] {
  const hostName = request.hostName.toLowerCase();
  const names = request.names.map((name) => name.toLowerCase());
  for (const name of names) {
    if (!isCertifiable(name)) throw new NectarError('GATEWAY_CERTIFICATE_NAME_EXCLUDED', { name });
  }
  return [...new Set([...ALWAYS, ...(isCertifiable(hostName) ? [hostName] : []), ...names])];
}

function isCertifiable(name: string): boolean {
  return isIP(name) !== 0 ? !name.includes('%') : name.length <= MAX_DNS_NAME_CHARS && DNS_NAME.test(name);
}

export function withNewline(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
