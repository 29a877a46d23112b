import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { DER_TAG, oidText, parseDer } from './der.ts';

/** RFC 5280, 4.2.1.10. */
const NAME_CONSTRAINTS = '2.5.29.30';
const DNS_TAG = 0x82;
const IP_TAG = 0x87;
const PERMITTED_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

/** Signature algorithms (RFC 3279, 4055, 5758, 8410) by their digest. */
const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'md5',
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': 'ed25519',
  '1.3.101.113': 'ed448',
};

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** Network octets and bits: loopback, RFC 1918, RFC 4193, link-local. */
const PRIVATE_RANGES: readonly (readonly [readonly number[], number])[] = [
  [[127, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[172, 16, 0, 0], 12],
  [[192, 168, 0, 0], 16],
  [[169, 254, 0, 0], 16],
  [[...Array<number>(15).fill(0), 1], 128],
  [[0xfc, ...Array<number>(15).fill(0)], 7],
  [[0xfe, 0x80, ...Array<number>(14).fill(0)], 10],
];

/** `EC P-256`, `RSA 2048`, `Ed25519`. */
export function certificateKey({ publicKey }: X509Certificate): string {
  const { namedCurve = '', modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case 'ec':
      return `EC ${CURVES[namedCurve] ?? namedCurve}`;
    case 'rsa':
    case 'rsa-pss':
      return `RSA ${modulusLength}`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return publicKey.asymmetricKeyType ?? 'unknown';
  }
}

/** The digest that signs it, or the algorithm's own number where it is none that we know. */
export function certificateSignature({ raw }: X509Certificate): string {
  const [certificate] = parseDer(raw);
  const [, algorithm] = parseDer(certificate?.value ?? new Uint8Array());
  const [oid] = parseDer(algorithm?.value ?? new Uint8Array());
  const text = oidText(oid?.value ?? new Uint8Array());
  return DIGESTS[text] ?? text;
}

/** Whether this authority signed it, whatever the date says. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/**
 * Whether an authority may sign for names that it lists, and for private ranges and single addresses alone. RFC 5280 restricts only the
 * kinds of names that are listed: an authority without a permitted address may sign for all of them.
 */
export function isConstrained(authority: X509Certificate): boolean {
  const constraints = findExtension(authority, NAME_CONSTRAINTS);
  if (constraints === undefined || !constraints.critical) return false;
  const [content] = parseDer(constraints.value);
  const permitted = parseDer(content?.value ?? new Uint8Array()).find(({ tag }) => tag === PERMITTED_TAG);
  const bases = parseDer(permitted?.value ?? new Uint8Array()).flatMap(({ value }) => parseDer(value));
  const names = bases.filter(({ tag }) => tag === DNS_TAG);
  const ranges = bases.filter(({ tag }) => tag === IP_TAG);
  return (
    names.length > 0 &&
    ranges.length > 0 &&
    names.every(({ value }) => value.length > 0) &&
    ranges.every(({ value }) => isPrivate([...value]))
  );
}

/** A name as `checkHost` or `checkIP` wants it. */
export function isNamed(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

function findExtension({ raw }: X509Certificate, wanted: string): { value: Uint8Array; critical: boolean } | undefined {
  const [certificate] = parseDer(raw);
  const [body] = parseDer(certificate?.value ?? new Uint8Array());
  const extensions = parseDer(body?.value ?? new Uint8Array()).find(({ tag }) => tag === EXTENSIONS_TAG);
  const [list] = parseDer(extensions?.value ?? new Uint8Array());
  for (const extension of parseDer(list?.value ?? new Uint8Array())) {
    const parts = parseDer(extension.value);
    const [oid] = parts;
    const octets = parts.find(({ tag }) => tag === DER_TAG.octets);
    if (oid === undefined || octets === undefined || oidText(oid.value) !== wanted) continue;
    const critical = parts.some(({ tag, value }) => tag === DER_TAG.boolean && value[0] !== 0);
    return { value: octets.value, critical };
  }
  return undefined;
}

/** Address followed by mask. */
function isPrivate(range: readonly number[]): boolean {
  const size = range.length / 2;
  const [address, mask] = [range.slice(0, size), range.slice(size)];
  if (size !== 4 && size !== 16) return false;
  if (mask.every((octet) => octet === 0xff)) return true;
  const bits = mask.reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0);
  return PRIVATE_RANGES.some(
    ([network, length]) => network.length === size && bits >= length && isInside(address, network, length),
  );
}

function isInside(address: readonly number[], network: readonly number[], bits: number): boolean {
  return network.every((octet, index) => {
    const mask = 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - index * 8)));
    return ((address[index] ?? 0) & mask) === (octet & mask);
  });
}
