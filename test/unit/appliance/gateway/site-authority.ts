import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  type KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export interface SiteCertificate {
  readonly cert: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** The certificate authority of a clinic, as its administrator would run one. */
export interface Site {
  readonly certificate: string;
  issue(client: {
    readonly names: readonly string[];
    readonly keys?: webcrypto.CryptoKeyPair;
    readonly spki?: Uint8Array<ArrayBuffer>;
    readonly forServer?: boolean;
    readonly validTo?: number;
  }): Promise<SiteCertificate>;
  /** A revocation list, PEM. */
  revoke(
    certificates: readonly SiteCertificate[],
    list: { readonly number?: number; readonly from?: number; readonly until?: number; readonly critical?: string },
  ): Promise<string>;
}

const serial = () => `01${randomBytes(15).toString('hex')}`;
const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

export async function createSite(
  now: number,
  validTo = now + 365 * DAY_MS,
  { authority: given, usages }: { readonly authority?: webcrypto.CryptoKeyPair; readonly usages?: KeyUsageFlags } = {},
): Promise<Site> {
  const authority = given ?? (await newKeys());
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [`Clinic ${serial()}`] }],
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(validTo),
    keys: authority,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      ...(usages === undefined ? [] : [new KeyUsagesExtension(usages, true)]),
    ],
  });
  return {
    certificate: `${root.toString('pem')}\n`,
    async revoke(certificates, { number, from = now - DAY_MS, until = now + DAY_MS, critical }) {
      const list = await X509CrlGenerator.create({
        issuer: root.subjectName,
        thisUpdate: new Date(from),
        nextUpdate: new Date(until),
        entries: certificates.map(({ cert }) => ({
          serialNumber: new X509Certificate(cert).serialNumber,
          revocationDate: new Date(now - DAY_MS),
        })),
        extensions: [
          ...(number === undefined ? [] : [new Extension('2.5.29.20', false, Uint8Array.of(2, 1, number))]),
          ...(critical === undefined ? [] : [new Extension(critical, true, Uint8Array.of(0x30, 0))]),
        ],
        signingKey: authority.privateKey,
        signingAlgorithm: ALGORITHM,
      });
      return `${list.toString('pem')}\n`;
    },
    async issue({ names, keys: given, spki, forServer = false, validTo: until = now + 30 * DAY_MS }) {
      const keys = given ?? (await newKeys());
      const leaf = await X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: [{ CN: ['client'] }],
        issuer: root.subjectName,
        notBefore: new Date(now - DAY_MS),
        notAfter: new Date(until),
        publicKey: spki ?? keys.publicKey,
        signingKey: authority.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new ExtendedKeyUsageExtension([forServer ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
          ...(names.length === 0
            ? []
            : [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return { cert: `${leaf.toString('pem')}\n`, key: PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag), keys };
    },
  };
}
