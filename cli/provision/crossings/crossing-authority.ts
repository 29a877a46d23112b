// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { SplitRole } from '../../../appliance/crossing/table.ts';
import { roleName } from '../../../appliance/crossing/tls/role-name.ts';
import { encodeNameConstraints, NAME_CONSTRAINTS_OID } from '../../../appliance/gateway/name-constraints.ts';
import { ALGORITHM, CLOCK_SKEW_MS, createSerial, generateKeys, withNewline } from '../../../appliance/gateway/tls.ts';

/** The authority of one node's crossings, in PEM; its key (PKCS#8) issues certificates and is nowhere in the node. */
export interface CrossingAuthority {
  readonly certificate: string;
  readonly key: string;
}

/** What a role shows the others, in PEM. */
export interface RoleCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Milliseconds since 1970. */
export interface Lifetime {
  readonly now: number;
  readonly notAfter: number;
}

/** A new authority, which can certify names of this node alone. */
export async function createCrossingAuthority(
  instance: string,
  { now, notAfter }: Lifetime,
): Promise<CrossingAuthority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: createSerial(),
    // Two authorities of one node, while the second replaces the first, are told apart by their names too.
    name: [{ CN: ['Nectar BYON crossings CA'] }, { O: [instance.slice(0, 64)] }, { OU: [createSerial()] }],
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(notAfter),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      new Extension(NAME_CONSTRAINTS_OID, true, encodeNameConstraints([`${instance}.nectar.internal`])),
    ],
  });
  return { certificate: withNewline(certificate.toString('pem')), key: await exportKey(keys.privateKey) };
}

/** A certificate for one role, both ends of TLS, its name alone; it ends no later than its authority. */
export async function issueRoleCertificate(
  authority: CrossingAuthority,
  { role, instance }: { readonly role: SplitRole; readonly instance: string },
  { now, notAfter }: Lifetime,
): Promise<RoleCertificate> {
  const ca = new X509Certificate(authority.certificate);
  const keys = await generateKeys();
  const name = roleName(role, instance);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: [{ CN: [`Nectar BYON ${role}`] }],
    issuer: ca.subjectName,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(Math.min(notAfter, ca.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  return { certificate: withNewline(certificate.toString('pem')), key: await exportKey(keys.privateKey) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  const pem = withNewline(PemConverter.encode(der, PemConverter.PrivateKeyTag));
  new Uint8Array(der).fill(0);
  return pem;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);
}
