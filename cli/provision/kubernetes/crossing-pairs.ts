// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ALGORITHM, CLOCK_SKEW_MS, createSerial, generateKeys, withNewline } from '../../../appliance/gateway/tls.ts';
import { CLUSTER_ROLES, type ClusterRole } from './release-labels.ts';

const DAY_MS = 86_400_000;
const MAX_COMMON_NAME_CHARS = 64;

/** What a role shows at its crossings, as PEM. */
export interface CrossingPair {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/**
 * One authority for this node's crossings, and a pair for each role, whose only name is the role's in this node. The authority's key
 * is kept nowhere: what renews the pairs makes a new one.
 */
export async function issueCrossingPairs(
  instance: string,
  { now, days }: { readonly now: number; readonly days: number },
): Promise<Record<ClusterRole, CrossingPair>> {
  const keys = await generateKeys();
  const life = { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + days * DAY_MS) };
  const ca = await X509CertificateGenerator.createSelfSigned({
    serialNumber: createSerial(),
    name: [{ CN: [`crossings of ${instance}`.slice(0, MAX_COMMON_NAME_CHARS)] }],
    ...life,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const issue = (role: ClusterRole): Promise<CrossingPair> =>
    issuePair(`${role}.${instance}.nectar.internal`, { role, ca, caKey: keys.privateKey, life });
  const pairs = await Promise.all(CLUSTER_ROLES.map(async (role) => [role, await issue(role)] as const));
  return Object.fromEntries(pairs) as Record<ClusterRole, CrossingPair>;
}

interface Issuer {
  readonly role: ClusterRole;
  readonly ca: X509Certificate;
  readonly caKey: webcrypto.CryptoKey;
  readonly life: { readonly notBefore: Date; readonly notAfter: Date };
}

async function issuePair(name: string, { role, ca, caKey, life }: Issuer): Promise<CrossingPair> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: [{ CN: [role] }],
    issuer: ca.subjectName,
    ...life,
    publicKey: keys.publicKey,
    signingKey: caKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      // A role calls and is called.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: withNewline(certificate.toString('pem')),
    key: withNewline(PemConverter.encode(key, PemConverter.PrivateKeyTag)),
    authority: withNewline(ca.toString('pem')),
  };
}
