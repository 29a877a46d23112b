/**
 * The network of holders, day by day. What decides is the product's: placement (placement.ts), standings and their limits (standing.ts),
 * the chance of an audit (audit.ts, whose test draws the same by real questions), states, health and order of repairs (repair.ts).
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { AUDIT_LEAVES, chanceToFind } from '../protocol/storage/audit.ts';
import type { Offer } from '../protocol/storage/offer.ts';
import { createPlacementIndex, type PlacementIndex, placementKey, placeShards } from '../protocol/storage/placement.ts';
import { planRepairs, type ShardState, segmentHealth, shardState } from '../protocol/storage/repair.ts';
import { type AuditResult, afterAudit, isSuspended } from '../protocol/storage/standing.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Holder } from './holder.ts';
import { befall, eject, isGone, NOTICE_DAYS, replace } from './misfortune.ts';
import { countDays, countMoved, monthOf, percentile } from './tally.ts';
import {
  createWorld,
  give,
  markChanged,
  SHARD_BYTES,
  type SimulatedSegment,
  type SimulationOptions,
  STORAGE_CLASS,
  type World,
} from './world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LOST_DAYS = 7;
/** Days of silence after which each daily question of the days before has been asked in vain to the end. */
const CONTAINED_DAYS = 2;
/** Shards that a holder of the simulation stands for: a TiB and more, in shards of 6.4 MiB. */
const MANY_SHARDS = 200_000;
const OWNER_SECRET = keccak_256(utf8ToBytes('owner of the simulation'));

/** Runs to the end; `onDay` is told each day that is over. */
export function simulate(options: SimulationOptions, onDay: (world: World) => void = () => undefined): World {
  const world = createWorld(options);
  const first = indexOf(world);
  for (const [number, segment] of world.segments.entries())
    placeAt(world, first, { number, segment, lost: [...segment.places.keys()] });
  for (; world.day < world.days; world.day++) {
    befall(world);
    endLives(world);
    auditAll(world);
    repairAll(world);
    count(world);
    onDay(world);
  }
  for (const segment of world.segments) note(world, segment);
  return world;
}

function indexOf(world: World): PlacementIndex {
  const offers: Offer[] = world.holders.map(({ offer }) => offer);
  const index = createPlacementIndex(offers, (_, i) => world.holders[i]?.standing, { maxPrice: world.maxPrice });
  for (const [i, holder] of world.holders.entries())
    if (holder.isEjected || holder.downSince !== undefined || isLeaving(world, holder)) index.weights[i] = 0;
  return index;
}

function isLeaving({ day }: World, { dies, isGraceful }: Holder): boolean {
  return isGraceful && dies - day <= NOTICE_DAYS;
}

interface Lost {
  readonly number: number;
  readonly segment: SimulatedSegment;
  readonly lost: readonly number[];
}

/** Places the lost shards of a segment; returns how many found a place. */
function placeAt(world: World, index: PlacementIndex, { number, segment, lost }: Lost): number {
  let key = world.keys.get(number);
  if (key === undefined) {
    key = placementKey(OWNER_SECRET, keccak_256(utf8ToBytes(`segment ${number}`)));
    world.keys.set(number, key);
  }
  const kept = segment.places
    .filter((place, i) => place !== undefined && !lost.includes(i))
    .map((place) => place?.holder.offer as Offer);
  const chosen = placeShards(index, {
    key,
    storageClass: STORAGE_CLASS,
    shardBytes: SHARD_BYTES,
    count: lost.length,
    kept,
  });
  for (const [i, at] of chosen.entries()) {
    const holder = world.holders[at] as Holder;
    const isDropped = holder.liedSince !== undefined && world.chance.is(holder.lie);
    give(segment, { segment: number, index: lost[i] ?? 0, isDropped, isFaulted: false }, holder);
  }
  world.tally.unplaced += lost.length - chosen.length;
  return chosen.length;
}

/** Who gave notice hands over a part of its shards each day; who is gone for seven days is replaced. */
function endLives(world: World): void {
  let index: PlacementIndex | undefined;
  for (const [place, holder] of world.holders.entries()) {
    if (isGone(holder, world.day)) {
      if (holder.isGraceful && holder.dies <= world.day) replace(world, place);
      else {
        holder.downSince ??= world.day;
        holder.downUntil = Number.POSITIVE_INFINITY;
        if (world.day - holder.downSince >= LOST_DAYS) replace(world, place);
      }
    } else if (isLeaving(world, holder) && holder.shards.size > 0 && holder.downSince === undefined) {
      index ??= indexOf(world);
      handOver(world, index, holder);
    }
  }
}

function handOver(world: World, index: PlacementIndex, holder: Holder): void {
  const perDay = Math.ceil(holder.shards.size / Math.max(1, holder.dies - world.day));
  for (const { segment: number, index: at, isDropped } of [...holder.shards].slice(0, perDay)) {
    const segment = world.segments[number] as SimulatedSegment;
    // What it does not have it cannot give: that shard is repaired like any other.
    if (isDropped || placeAt(world, index, { number, segment, lost: [at] }) === 0) continue;
    world.tally.handOverBytes += SHARD_BYTES;
    countMoved(world.tally, world.day, SHARD_BYTES);
  }
}

function auditAll(world: World): void {
  for (const holder of world.holders) {
    const result = holder.shards.size === 0 ? undefined : audit(world, holder);
    if (result === undefined) continue;
    holder.standing = afterAudit(holder.standing, result);
    judge(world, holder, result);
  }
}

/** Undefined while a question still waits for its answer. */
function audit(world: World, holder: Holder): AuditResult | undefined {
  if (holder.downSince === undefined) return answer(world, holder);
  return world.day - holder.downSince >= CONTAINED_DAYS ? 'silent' : undefined;
}

function answer(world: World, holder: Holder): 'passed' | 'wrong' {
  // Its shards here stand for many that it holds: the part that is thrown away decides, not how many of these few are.
  if (holder.liedSince === undefined || !world.chance.is(chanceToFind(holder.lie))) return 'passed';
  const dropped = [...holder.shards].filter(({ isDropped, isFaulted }) => isDropped && !isFaulted);
  // Forty leaves of so many shards: that one which is followed here is hit is rare.
  for (const shard of dropped.filter(() => world.chance.is(AUDIT_LEAVES / MANY_SHARDS))) {
    shard.isFaulted = true;
    world.changed.add(shard.segment);
  }
  if (holder.firstCaughtOn === undefined) {
    holder.firstCaughtOn = world.day;
    countDays(world.tally.caught, holder.lie, world.day - holder.liedSince + 1);
  }
  return 'wrong';
}

/** Notice and cure run from the first suspension; who fails again after them is ejected. */
function judge(world: World, holder: Holder, result: AuditResult): void {
  const { day, tally } = world;
  if (isSuspended(holder.standing) && holder.suspendedOn === undefined) {
    holder.suspendedOn = day;
    if (holder.liedSince !== undefined) countDays(tally.suspended, holder.lie, day - holder.liedSince + 1);
    else if (!isGone(holder, day)) tally.falseSuspensions++;
  }
  const isOver = holder.suspendedOn !== undefined && day - holder.suspendedOn >= ASSUMPTIONS.dueProcessDays;
  if (isOver && result === 'wrong' && !holder.isEjected) eject(world, holder);
  // An honest one that comes back and proves again may be suspended another time.
  if (holder.liedSince === undefined && !isSuspended(holder.standing)) delete holder.suspendedOn;
}

function stateOf(world: World, segment: SimulatedSegment): (ShardState | undefined)[] {
  return segment.places.map((place) => {
    if (place === undefined) return undefined;
    const { downSince, isEjected } = place.holder;
    const silentMs = downSince === undefined ? 0 : (world.day - downSince) * DAY_MS;
    return shardState({ silentMs, isEjected, isFaulted: place.shard.isFaulted });
  });
}

function repairAll(world: World): void {
  for (const holder of world.holders) if (holder.downSince !== undefined) markChanged(world, holder);
  const due = [...world.changed].flatMap((number) => {
    const segment = world.segments[number] as SimulatedSegment;
    const health = segmentHealth(stateOf(world, segment), STORAGE_CLASS);
    if (!health.isDue) world.changed.delete(number);
    note(world, segment);
    return health.isDue && !segment.isLost ? [{ ...health, shardBytes: SHARD_BYTES, number, segment }] : [];
  });
  if (due.length === 0) return;
  const stored = world.options.segments * STORAGE_CLASS.shards * SHARD_BYTES;
  let index = indexOf(world);
  let placedWith = 0;
  for (const repair of planRepairs(due, STORAGE_CLASS, stored * ASSUMPTIONS.repairPartPerDay)) {
    if (answering(repair.segment) < STORAGE_CLASS.data) continue;
    // Free bytes age while shards are placed.
    if (placedWith++ % 50 === 49) index = indexOf(world);
    const bytes = (STORAGE_CLASS.data + placeAt(world, index, repair)) * SHARD_BYTES;
    world.tally.repairs++;
    world.tally.repairBytes += bytes;
    countMoved(world.tally, world.day, bytes);
    if (!segmentHealth(stateOf(world, repair.segment), STORAGE_CLASS).isDue) world.changed.delete(repair.number);
  }
}

/** Shards that exist and whose holder answers on this day. */
function answering({ places }: SimulatedSegment): number {
  return places.filter((place) => place !== undefined && !place.shard.isDropped && place.holder.downSince === undefined)
    .length;
}

/** Whether a segment is lost for ever: fewer than k shards exist, those of silent holders that come back among them. */
function note(world: World, segment: SimulatedSegment): void {
  const { day, tally } = world;
  const existing = segment.places.filter(
    (place) => place !== undefined && !place.shard.isDropped && !isGone(place.holder, day),
  ).length;
  segment.leastMargin = Math.min(segment.leastMargin, existing - STORAGE_CLASS.data);
  if (existing < STORAGE_CLASS.data && !segment.isLost) {
    segment.isLost = true;
    tally.segmentsLost++;
  }
  if (existing >= STORAGE_CLASS.data && answering(segment) < STORAGE_CLASS.data) tally.unreadableDays++;
}

function count(world: World): void {
  const { tally, day } = world;
  for (const holder of world.holders) if (holder.lie === 0 && !holder.isColluder) tally.honestDays++;
  if (monthOf(day) === monthOf(day - 1)) return;
  // The fill of holders that have been full members for a while: those that are new cannot be full.
  const fills = world.holders
    .filter(({ standing, isEjected }) => standing.passed > 2 * 180 && !isEjected)
    .map(({ offer, shards }) => (shards.size * SHARD_BYTES) / (offer.freeBytes + shards.size * SHARD_BYTES));
  const [high, middle] = [percentile(fills, 0.99), percentile(fills, 0.5)];
  if (high !== undefined && middle !== undefined && middle > 0) tally.fillByMonth[monthOf(day)] = high / middle;
}
