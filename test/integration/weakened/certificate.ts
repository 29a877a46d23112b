// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  Extension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { encodeNameConstraints, NAME_CONSTRAINTS_OID } from '../../../appliance/gateway/name-constraints.ts';

const DAY_MS = 86_400_000;
const ELLIPTIC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SHORT_RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

export interface CertificateWish {
  readonly names?: readonly string[];
  /** From yesterday on. */
  readonly days?: number;
  readonly daysLeft?: number;
  readonly rsa?: boolean;
  readonly constrained?: boolean;
}

/** A server certificate with an authority of its own, as somebody makes them by hand; PEM. */
export async function makeCertificate(
  wish: CertificateWish,
): Promise<{ authority: string; cert: string; key: string }> {
  const { names = ['localhost', '127.0.0.1'], days = 90, daysLeft = days, rsa = false, constrained = true } = wish;
  const caKeys = await webcrypto.subtle.generateKey(ELLIPTIC, true, ['sign', 'verify']);
  const keys = await webcrypto.subtle.generateKey(rsa ? SHORT_RSA : ELLIPTIC, true, ['sign', 'verify']);
  const notAfter = new Date(Date.now() + daysLeft * DAY_MS);
  const notBefore = new Date(notAfter.getTime() - days * DAY_MS - 60_000);
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: '01', name: 'CN=weakened authority', keys: caKeys, signingAlgorithm: ELLIPTIC },
    ...{ notBefore, notAfter },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      ...(constrained ? [new Extension(NAME_CONSTRAINTS_OID, true, encodeNameConstraints(names))] : []),
    ],
  });
  const certificate = await X509CertificateGenerator.create({
    ...{ serialNumber: '02', subject: 'CN=weakened', issuer: authority.subject, notBefore, notAfter },
    ...{ publicKey: keys.publicKey, signingKey: caKeys.privateKey, signingAlgorithm: ELLIPTIC },
    extensions: [
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    authority: authority.toString('pem'),
    cert: certificate.toString('pem'),
    key: PemConverter.encode(key, PemConverter.PrivateKeyTag),
  };
}
