/**
 * Which holders get the shards of a segment: weighted rendezvous over all eligible offers, under a secret of the owner, so that no holder
 * can choose what it is given, and an offer that comes or goes moves nothing else. Not over connected peers: who is connected is what an
 * adversary can choose.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { StorageClass } from '../coding/storage-class.ts';
import { halfSipHashUnit } from './half-sip-hash.ts';
import { isAllowed, type Offer, type PlacementPolicy } from './offer.ts';
import { isSuspended, isVetted, NEW_STANDING, type Standing, scoreOf } from './standing.ts';

/** What all holders get together that have not yet passed a hundred audits. */
const NEW_HOLDERS_PART = 0.05;

/** Offers made ready for any number of segments: it ages as free bytes and standings do. */
export interface PlacementIndex {
  readonly offers: readonly Offer[];
  /** Two words of each holder's id. */
  readonly words: Uint32Array;
  /** Free bytes times score; 0 for who gets nothing. */
  readonly weights: Float64Array;
}

/** The key of a segment's choice: keccak256("nectar/placement/1" | owner's secret | segment id), its first two words. */
export function placementKey(ownerSecret: Uint8Array, segmentId: Uint8Array): [number, number] {
  const digest = keccak_256(concatBytes(utf8ToBytes('nectar/placement/1'), ownerSecret, segmentId));
  const view = new DataView(digest.buffer, digest.byteOffset);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/** @param standingOf a holder's, undefined for one that was never audited */
export function createPlacementIndex(
  offers: readonly Offer[],
  standingOf: (offer: Offer, index: number) => Standing | undefined,
  policy: PlacementPolicy = {},
): PlacementIndex {
  const words = new Uint32Array(2 * offers.length);
  const weights = new Float64Array(offers.length);
  const isNew = new Uint8Array(offers.length);
  const totals = { vetted: 0, fresh: 0 };
  for (const [index, offer] of offers.entries()) {
    const view = new DataView(offer.holder.buffer, offer.holder.byteOffset);
    words[2 * index] = view.getUint32(0, true);
    words[2 * index + 1] = view.getUint32(4, true);
    const standing = standingOf(offer, index) ?? NEW_STANDING;
    if (isSuspended(standing) || !isAllowed(offer, policy)) continue;
    const weight = offer.freeBytes * scoreOf(standing);
    weights[index] = weight;
    isNew[index] = isVetted(standing) ? 0 : 1;
    totals[isVetted(standing) ? 'vetted' : 'fresh'] += weight;
  }
  // New holders share their part, and get no more for their bytes than others do. Where all are new, nobody is held back.
  const part = (totals.vetted * NEW_HOLDERS_PART) / (1 - NEW_HOLDERS_PART) / totals.fresh;
  if (totals.vetted > 0 && part < 1)
    for (const [index, fresh] of isNew.entries()) if (fresh === 1) weights[index] = (weights[index] ?? 0) * part;
  return { offers, words, weights };
}

export interface PlacementRequest {
  /** Of placementKey. */
  readonly key: readonly [number, number];
  readonly storageClass: StorageClass;
  readonly shardBytes: number;
  /** Shards to place: all of a new segment, the lost ones of another. */
  readonly count: number;
  /** Holders that have a shard of the segment already, or had one and are not to get another. */
  readonly kept: readonly Offer[];
}

/** At most one shard of a segment for an operator and for a site, and n-k-1 for an AS: one that fails leaves one shard to spare. */
class Spread {
  readonly #operators = new Set<string>();
  readonly #sites = new Set<string>();
  readonly #systems = new Map<number, number>();
  readonly #perSystem: number;

  constructor({ shards, data }: StorageClass) {
    this.#perSystem = shards - data - 1;
  }

  isFree({ operator, site, as }: Offer): boolean {
    return !this.#operators.has(operator) && !this.#sites.has(site) && (this.#systems.get(as) ?? 0) < this.#perSystem;
  }

  take({ operator, site, as }: Offer): void {
    this.#operators.add(operator);
    this.#sites.add(site);
    this.#systems.set(as, (this.#systems.get(as) ?? 0) + 1);
  }
}

/**
 * Places of the chosen offers in the index, best first: fewer than `count` where no more may be chosen. The caller says which shards are
 * not placed; nothing is placed against the rules to make up the number.
 */
export function placeShards({ offers, words, weights }: PlacementIndex, request: PlacementRequest): number[] {
  const { key, storageClass, shardBytes, count, kept } = request;
  const costs = new Float64Array(offers.length).fill(Number.POSITIVE_INFINITY);
  for (let index = 0; index < offers.length; index++) {
    const weight = weights[index] ?? 0;
    if (weight <= 0 || (offers[index]?.freeBytes ?? 0) < shardBytes) continue;
    // Exponential with the weight as its rate: the least of all falls on each in proportion to its weight (Efraimidis, Spirakis 2006).
    const unit = halfSipHashUnit(key, words[2 * index] ?? 0, words[2 * index + 1] ?? 0);
    costs[index] = -Math.log(unit + 2 ** -54) / weight;
  }
  const spread = new Spread(storageClass);
  for (const offer of kept) spread.take(offer);
  const chosen: number[] = [];
  while (chosen.length < count) {
    const best = leastOf(costs);
    const offer = offers[best];
    if (offer === undefined) break;
    costs[best] = Number.POSITIVE_INFINITY;
    if (!spread.isFree(offer)) continue;
    spread.take(offer);
    chosen.push(best);
  }
  return chosen;
}

/** -1 where none is finite. */
function leastOf(costs: Float64Array): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < costs.length; index++) {
    const cost = costs[index] ?? Number.POSITIVE_INFINITY;
    if (cost >= least) continue;
    best = index;
    least = cost;
  }
  return best;
}
