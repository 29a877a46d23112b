import { DER, type DerElement, derElements, soleElement } from './der.ts';

/** Why a list is not the whole of what its authority took back. */
export type PartialKind = 'delta' | 'indirect' | 'scoped' | 'unknown';

/** Who is not in such a list may be revoked all the same: it is never taken for the whole. */
export class PartialListError extends RangeError {
  readonly kind: PartialKind;
  /** Object identifier of the extension, dotted. */
  readonly extension: string;
  constructor(kind: PartialKind, oid: string) {
    super(`it is no whole list: ${kind}`);
    this.kind = kind;
    this.extension = dotted(oid);
  }
}

/** An extension; `oid`: hex of its object identifier. */
export interface ListExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

const AUTHORITY_KEY = '551d23';
export const CRL_NUMBER = '551d14';
const REASON = '551d15';
const DELTA_INDICATOR = '551d1b';
const DISTRIBUTION_POINT = '551d1c';
const CERTIFICATE_ISSUER = '551d1d';
/** What narrows no list: critical or not, it may be there. */
const UNDERSTOOD = new Set([CRL_NUMBER, AUTHORITY_KEY]);
/** IssuingDistributionPoint, indirectCRL: [4] IMPLICIT BOOLEAN. */
const INDIRECT = 0x84;
const ENUMERATED = 0x0a;
const REMOVE_FROM_LIST = 8;

/**
 * RFC 5280, 5.2: what narrows a list is critical. An authority that forgot to say so narrowed its list all the same, so these are refused
 * either way.
 *
 * @throws PartialListError
 */
export function requireWhole({ oid, critical, value }: ListExtension): void {
  if (oid === DELTA_INDICATOR) throw new PartialListError('delta', oid);
  if (oid === DISTRIBUTION_POINT) throw new PartialListError(isIndirect(value) ? 'indirect' : 'scoped', oid);
  if (critical && !UNDERSTOOD.has(oid)) throw new PartialListError('unknown', oid);
}

/** Of one entry (5.3): one of another issuer, or one that takes a serial number out of an earlier list, as delta lists do. */
export function requireOwnEntry({ oid, critical, value }: ListExtension): void {
  if (oid === CERTIFICATE_ISSUER) throw new PartialListError('indirect', oid);
  if (oid === REASON && soleElement(value, ENUMERATED).value[0] === REMOVE_FROM_LIST)
    throw new PartialListError('delta', oid);
  if (critical && oid !== REASON) throw new PartialListError('unknown', oid);
}

function isIndirect(value: Uint8Array): boolean {
  const isSet = ({ tag, value: [octet = 0] }: DerElement): boolean => tag === INDIRECT && octet !== 0;
  return [...derElements(soleElement(value, DER.sequence).value)].some(isSet);
}

/** X.690, 8.19: the first octets of arcs above 1 are never seen here, and are shown as they would be below 2. */
function dotted(oid: string): string {
  const [first = 0, ...rest] = Buffer.from(oid, 'hex');
  const arcs = [Math.floor(first / 40), first % 40];
  let arc = 0;
  for (const octet of rest) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}
