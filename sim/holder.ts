import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Offer } from '../protocol/storage/offer.ts';
import { NEW_STANDING, type Standing } from '../protocol/storage/standing.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Chance } from './chance.ts';

/** A shard of a segment: which, and its place in it. */
export interface PlacedShard {
  readonly segment: number;
  readonly index: number;
  /** A liar threw it away. */
  isDropped: boolean;
  /** An audit found that it is not there. */
  isFaulted: boolean;
}

/** A holder of the simulation. Days are numbers from 0; undefined: not yet, or not. */
export interface Holder {
  offer: Offer;
  standing: Standing;
  readonly dies: number;
  readonly isGraceful: boolean;
  readonly isColluder: boolean;
  /** The part of its shards that it throws away, not before `liesFrom`; 0 for honest ones. */
  readonly lie: number;
  readonly liesFrom: number;
  /** Since when it does. */
  liedSince?: number;
  /** Silent from this day on, until that one. */
  downSince?: number;
  downUntil?: number;
  suspendedOn?: number;
  firstCaughtOn?: number;
  isEjected: boolean;
  readonly shards: Set<PlacedShard>;
}

const LIES = [1, 0.05, 0.01];
const CAPACITY_SHARDS = { from: 40, to: 200 } as const;
const HOLDER_PRICES = { from: 300, to: 500 } as const;

export interface Births {
  readonly chance: Chance;
  readonly nodes: number;
  readonly shardBytes: number;
  /** Shards for a holder, in the mean of all. */
  readonly load: number;
}

/** A holder that comes: its operator, site and AS are among as many as the network has. */
export function createHolder({ chance, nodes, shardBytes, load }: Births, number: number, day: number): Holder {
  const operator = chance.below(Math.ceil(nodes / ASSUMPTIONS.nodesPerOperator));
  // Small numbers are drawn more often: few systems have many holders.
  const systems = Math.ceil(nodes / ASSUMPTIONS.nodesPerSystem);
  const as = Math.min(chance.below(systems), chance.below(systems));
  const { from, to } = CAPACITY_SHARDS;
  const capacity = ((from + chance.below(to - from)) / from) * load * shardBytes;
  const { countries, liarPart, colluderPart, lifeDays, lifeShape, gracefulPart } = ASSUMPTIONS;
  const life = chance.weibull(lifeDays, lifeShape);
  const isLiar = chance.is(liarPart);
  return {
    offer: {
      holder: keccak_256(utf8ToBytes(`holder ${number}`)),
      operator: `${operator}`,
      site: `${operator}-${chance.below(2)}`,
      as,
      country: countries[chance.below(countries.length)] ?? 'CH',
      freeBytes: Math.floor(capacity),
      price: HOLDER_PRICES.from + chance.below(HOLDER_PRICES.to - HOLDER_PRICES.from),
      egress: 100,
      bandwidth: 12_500_000,
    },
    standing: NEW_STANDING,
    dies: Math.ceil(day + life),
    isGraceful: chance.is(gracefulPart),
    isColluder: chance.is(colluderPart),
    lie: isLiar ? (LIES[chance.below(LIES.length)] ?? 0) : 0,
    // One that means to cheat is patient: it waits until it is trusted.
    liesFrom: Math.ceil(day + 0.5 * life * (0.5 + chance.below(1000) / 1000)),
    isEjected: false,
    shards: new Set(),
  };
}
