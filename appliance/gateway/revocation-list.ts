import { createHash, type KeyObject, verify } from 'node:crypto';
import { DER, type DerElement, derElements, derInteger, derTime, nextOf, soleElement } from './der.ts';
import { CRL_NUMBER, type ListExtension, requireOwnEntry, requireWhole } from './partial-list.ts';

/** Entries of one list: more than a site has clients. */
const MAX_REVOKED = 20_000;
const MAX_NUMBER_OCTETS = 20;

/** Algorithms of signatures, by the hex of their object identifier; Ed25519 has its hash in itself. */
const HASHES: Readonly<Record<string, string | null>> = {
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2b6570': null,
};
const KEY_TYPES: Readonly<Record<string, string>> = { '2a8648ce': 'ec', '2a864886': 'rsa', '2b6570': 'ed25519' };

/** A certificate revocation list (RFC 5280, 5), complete, of one issuer. */
export interface RevocationList {
  readonly number: bigint;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers of certificates, hex as in DER. */
  readonly revoked: ReadonlySet<string>;
  /** SHA-256 of the list, hex. */
  readonly digest: string;
  isSignedBy(key: KeyObject): boolean;
}

/**
 * Reads one. A list that covers a part of the certificates, or only what changed, is refused: who is not in it may be revoked.
 *
 * @throws RangeError with the reason; PartialListError for one that is not the whole
 */
export function parseRevocationList(der: Uint8Array): RevocationList {
  const outer = derElements(soleElement(der, DER.sequence).value);
  const tbs = nextOf(outer, DER.sequence);
  const algorithm = nextOf(outer, DER.sequence);
  const signature = nextOf(outer, DER.bitString).value;
  const body = readBody(tbs);
  if (!Buffer.from(body.algorithm.whole).equals(algorithm.whole))
    throw new RangeError('two algorithms of one signature');
  const oid = hex(nextOf(derElements(algorithm.value), DER.objectId).value);
  const hash = HASHES[oid];
  if (hash === undefined) throw new RangeError('the algorithm of its signature is not taken here');
  const keyType = KEY_TYPES[oid] ?? KEY_TYPES[oid.slice(0, 8)];
  return {
    ...readExtensions(body.extensions),
    thisUpdate: body.thisUpdate,
    nextUpdate: body.nextUpdate,
    revoked: readRevoked(body.revoked),
    digest: createHash('sha256').update(der).digest('hex'),
    isSignedBy: (key) =>
      key.asymmetricKeyType === keyType && signature[0] === 0 && verify(hash, tbs.whole, key, signature.subarray(1)),
  };
}

/** The serial number of a certificate, as lists have it. */
export function serialOf(certificate: Uint8Array): string {
  const outer = derElements(soleElement(certificate, DER.sequence).value);
  const fields = derElements(nextOf(outer, DER.sequence).value);
  const first = nextOf(fields, DER.context0, DER.integer);
  return derInteger(first.tag === DER.integer ? first : nextOf(fields, DER.integer));
}

function readBody(tbs: DerElement) {
  const fields = [...derElements(tbs.value)];
  if (fields[0]?.tag !== DER.integer || derInteger(fields[0]) !== '01') throw new RangeError('it is not of version 2');
  const [, algorithm, issuer, from, until] = fields;
  const isTime = (one?: DerElement) => one?.tag === DER.utcTime || one?.tag === DER.generalizedTime;
  if (algorithm?.tag !== DER.sequence || issuer?.tag !== DER.sequence || from === undefined || !isTime(from))
    throw new RangeError('it is no revocation list');
  if (until === undefined || !isTime(until)) throw new RangeError('it does not say when the next one comes');
  const rest = fields.slice(5);
  const revoked = rest[0]?.tag === DER.sequence ? rest.shift() : undefined;
  const extensions = rest[0]?.tag === DER.context0 ? rest.shift() : undefined;
  if (rest.length > 0 || extensions === undefined) throw new RangeError('it has no number');
  return { algorithm, thisUpdate: derTime(from), nextUpdate: derTime(until), revoked, extensions };
}

function readRevoked(list: DerElement | undefined): ReadonlySet<string> {
  const serials = new Set<string>();
  if (list === undefined) return serials;
  for (const entry of derElements(list.value)) {
    const fields = derElements(entry.value);
    serials.add(derInteger(nextOf(fields, DER.integer)));
    nextOf(fields, DER.utcTime, DER.generalizedTime);
    const extensions = fields.next();
    if (extensions.done !== true) for (const one of extensionsOf(extensions.value)) requireOwnEntry(one);
    if (serials.size > MAX_REVOKED) throw new RangeError(`there are more than ${MAX_REVOKED} entries`);
  }
  return serials;
}

function readExtensions(tagged: DerElement): { readonly number: bigint } {
  let number: bigint | undefined;
  for (const extension of extensionsOf(soleElement(tagged.value, DER.sequence))) {
    requireWhole(extension);
    if (extension.oid !== CRL_NUMBER) continue;
    const integer = soleElement(extension.value, DER.integer);
    if (integer.value.length > MAX_NUMBER_OCTETS || (integer.value[0] ?? 0x80) >= 0x80)
      throw new RangeError('its number is out of range');
    number = BigInt(`0x${derInteger(integer)}`);
  }
  if (number === undefined) throw new RangeError('it has no number');
  return { number };
}

function* extensionsOf(list: DerElement): Generator<ListExtension> {
  for (const extension of derElements(list.value)) {
    const fields = derElements(extension.value);
    const oid = hex(nextOf(fields, DER.objectId).value);
    const next = nextOf(fields, DER.boolean, DER.octetString);
    const critical = next.tag === DER.boolean && next.value[0] !== 0;
    yield { oid, critical, value: (next.tag === DER.boolean ? nextOf(fields, DER.octetString) : next).value };
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
