import { MAX_SEGMENT_BYTES, segmentsOf } from '../protocol/coding/segment.ts';
import { STORAGE_CLASSES } from '../protocol/coding/storage-class.ts';
import { seededRandom } from '../protocol/storage/seeded-random.ts';
import { type Chance, createChance } from './chance.ts';
import { type Births, createHolder, type Holder, type PlacedShard } from './holder.ts';
import { emptyTally, type Tally } from './tally.ts';

export interface SimulationOptions {
  readonly nodes: number;
  readonly years: number;
  readonly seed: string;
  /** Segments of the standard class. */
  readonly segments: number;
}

/** A place of a shard: who has it, by number; undefined where nobody does. */
interface Place {
  holder: Holder;
  readonly shard: PlacedShard;
}

export interface SimulatedSegment {
  readonly places: (Place | undefined)[];
  /** The smallest margin that it had. */
  leastMargin: number;
  isLost: boolean;
}

export interface World {
  readonly options: SimulationOptions;
  readonly chance: Chance;
  readonly days: number;
  day: number;
  readonly holders: Holder[];
  readonly births: Births;
  born: number;
  readonly segments: SimulatedSegment[];
  /** Segments to look at: something of theirs has changed. */
  readonly changed: Set<number>;
  /** Keys of placement, by segment. */
  readonly keys: Map<number, [number, number]>;
  /** What owners pay at most, in cents for a TiB and month. */
  readonly maxPrice: number;
  readonly tally: Tally;
}

export const STORAGE_CLASS = STORAGE_CLASSES.standard;
const [FULL_SEGMENT] = segmentsOf(MAX_SEGMENT_BYTES, STORAGE_CLASS);
export const SHARD_BYTES = FULL_SEGMENT?.shardBytes ?? 0;
const MAX_PRICE = 600;

/** Holders of all ages, and no shard placed. */
export function createWorld(options: SimulationOptions): World {
  const chance = createChance(seededRandom(options.seed));
  const load = Math.max(1, (options.segments * STORAGE_CLASS.shards) / options.nodes);
  const births: Births = { chance, nodes: options.nodes, shardBytes: SHARD_BYTES, load };
  const world: World = {
    options,
    chance,
    days: Math.round(options.years * 365),
    day: 0,
    holders: [],
    births,
    born: 0,
    segments: Array.from({ length: options.segments }, () => ({
      places: Array.from({ length: STORAGE_CLASS.shards }),
      leastMargin: STORAGE_CLASS.shards - STORAGE_CLASS.data,
      isLost: false,
    })),
    changed: new Set(),
    keys: new Map(),
    maxPrice: MAX_PRICE,
    tally: emptyTally(),
  };
  for (let i = 0; i < options.nodes; i++) world.holders.push(createHolder(births, world.born++, 0));
  return world;
}

/** Gives a shard to a holder. */
export function give(segment: SimulatedSegment, shard: PlacedShard, holder: Holder): void {
  takeAway(segment, shard.index);
  segment.places[shard.index] = { holder, shard };
  holder.shards.add(shard);
  holder.offer = { ...holder.offer, freeBytes: holder.offer.freeBytes - SHARD_BYTES };
}

/** Forgets the holder of a shard. */
export function takeAway(segment: SimulatedSegment, index: number): void {
  const place = segment.places[index];
  if (place === undefined) return;
  place.holder.shards.delete(place.shard);
  place.holder.offer = { ...place.holder.offer, freeBytes: place.holder.offer.freeBytes + SHARD_BYTES };
  segment.places[index] = undefined;
}

/** All shards of a holder are gone, or count no more: their segments are looked at. */
export function markChanged(world: World, { shards }: Holder): void {
  for (const { segment } of shards) world.changed.add(segment);
}
