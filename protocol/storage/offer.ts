import { NectarError } from '../errors.ts';

/** What a holder offers, as placement reads it. Operator, site, AS and country are attested by the HIPAA auditor or seen by the owner. */
export interface Offer {
  /** 32 bytes that name the holder: the hash of its peer id, as in NodeRegistry. */
  readonly holder: Uint8Array;
  readonly operator: string;
  readonly site: string;
  /** Autonomous system of its addresses. */
  readonly as: number;
  /** ISO 3166-1, two letters. */
  readonly country: string;
  readonly freeBytes: number;
  /** US cents for a TiB and month. */
  readonly price: number;
  /** US cents for a TiB that is read. */
  readonly egress: number;
  /** Bytes a second. */
  readonly bandwidth: number;
}

/** What an owner demands of holders. */
export interface PlacementPolicy {
  /** Only these; absent: any. */
  readonly countries?: readonly string[];
  /** The owner's own, and those that it does not trust. */
  readonly exceptOperators?: readonly string[];
  readonly maxPrice?: number;
  readonly maxEgress?: number;
  readonly minBandwidth?: number;
}

const HOLDER_BYTES = 32;

/** Refuses an offer whose numbers or names cannot be. @throws CODING_INPUT_INVALID with the field */
export function checkOffer(offer: Offer): void {
  const refuse = (field: string, problem: string): never => {
    throw new NectarError('CODING_INPUT_INVALID', { field, problem });
  };
  if (offer.holder.length !== HOLDER_BYTES) refuse('holder', `${offer.holder.length} bytes, not ${HOLDER_BYTES}`);
  if (!/^[A-Z]{2}$/.test(offer.country)) refuse('country', 'not two capital letters');
  if (offer.operator === '' || offer.site === '') refuse(offer.operator === '' ? 'operator' : 'site', 'empty');
  for (const field of ['as', 'freeBytes', 'price', 'egress', 'bandwidth'] as const) {
    if (!Number.isSafeInteger(offer[field]) || offer[field] < 0) refuse(field, 'not a whole number from 0');
  }
}

/** Whether a policy allows a holder. */
export function isAllowed(offer: Offer, policy: PlacementPolicy): boolean {
  const { countries, exceptOperators, maxPrice, maxEgress, minBandwidth } = policy;
  return (
    (countries === undefined || countries.includes(offer.country)) &&
    exceptOperators?.includes(offer.operator) !== true &&
    offer.price <= (maxPrice ?? Number.POSITIVE_INFINITY) &&
    offer.egress <= (maxEgress ?? Number.POSITIVE_INFINITY) &&
    offer.bandwidth >= (minBandwidth ?? 0)
  );
}
