// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { NectarError } from '../../protocol/errors.ts';
import { ALGORITHM, CA_LIFETIME_MS, CLOCK_SKEW_MS, createSerial, generateKeys, withNewline } from './tls.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];

/** The authority that signs for clients. Both PEM, the key PKCS#8. */
export interface ClientAuthority {
  readonly certificate: string;
  readonly key: string;
}

/** Another one than that of the server's certificate: what it signs is good for clients only, and each of them is listed by its key. */
export async function createClientAuthority(now: number): Promise<ClientAuthority> {
  const keys = await generateKeys();
  const serialNumber = createSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: [{ CN: [`Nectar BYON clients ${serialNumber.slice(0, 8)}`] }],
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + CA_LIFETIME_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: withNewline(certificate.toString('pem')),
    key: withNewline(PemConverter.encode(key, PemConverter.PrivateKeyTag)),
  };
}

/**
 * The public key that a signing request asks for, once the request has shown that its sender holds the private one.
 *
 * @throws NectarError GATEWAY_CLIENT_REQUEST_INVALID
 */
export async function parseClientRequest(pem: string): Promise<{ readonly publicKey: KeyObject }> {
  let parsed: { readonly request: Pkcs10CertificateRequest; readonly publicKey: KeyObject };
  try {
    const request = new Pkcs10CertificateRequest(pem);
    parsed = {
      request,
      publicKey: createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' }),
    };
  } catch (cause) {
    throw new NectarError(
      'GATEWAY_CLIENT_REQUEST_INVALID',
      { reason: 'the signing request is not a PKCS#10 in PEM' },
      { cause },
    );
  }
  requireStrong(parsed.publicKey);
  if (!(await parsed.request.verify().catch(() => false)))
    throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', {
      reason: 'the signing request is not signed by its own key',
    });
  return { publicKey: parsed.publicKey };
}

/** @throws NectarError GATEWAY_CLIENT_REQUEST_INVALID for a key that can be guessed, or of a kind that TLS does not take */
export function requireStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): void {
  const bits = details.modulusLength ?? 0;
  const strong =
    type === 'ed25519' ||
    (type === 'ec' && CURVES.includes(details.namedCurve ?? '')) ||
    (type === 'rsa' && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS);
  if (!strong)
    throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', {
      reason: `its key is none of RSA with ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, P-256, P-384, P-521 and Ed25519`,
    });
}

/** A certificate for a client's key, PEM. */
export async function issueClientCertificate(
  authority: ClientAuthority,
  client: {
    readonly publicKey: KeyObject;
    readonly subject: string;
    readonly id: string;
    readonly expiresAt: string;
    readonly now: number;
  },
): Promise<string> {
  const ca = new X509Certificate(authority.certificate);
  const pkcs8 = PemConverter.decodeFirst(authority.key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
  const spki = client.publicKey.export({ type: 'spki', format: 'der' });
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: [{ CN: [client.subject] }],
    issuer: ca.subjectName,
    notBefore: new Date(client.now - CLOCK_SKEW_MS),
    notAfter: new Date(Math.min(Date.parse(client.expiresAt), ca.notAfter.getTime())),
    publicKey: spki,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `urn:nectar:client:${client.id}` }]),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  return withNewline(certificate.toString('pem'));
}

/** A new key, and the request to sign for it: for the machine of the client, which keeps the key. Both PEM. */
export async function createClientKey(subject: string): Promise<{ readonly key: string; readonly request: string }> {
  const keys = await generateKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [subject] }],
    keys,
    signingAlgorithm: ALGORITHM,
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: withNewline(PemConverter.encode(key, PemConverter.PrivateKeyTag)),
    request: withNewline(request.toString('pem')),
  };
}
