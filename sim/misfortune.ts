/** What happens to holders: they are silent for a while, end, come, cheat, leave together. */
import { ASSUMPTIONS, MOMENTS } from './assumptions.ts';
import { createHolder, type Holder } from './holder.ts';
import { markChanged, takeAway, type World } from './world.ts';

const HOURS = 24;
const DAYS_OF_YEAR = 365;
/** Days of notice of who leaves gracefully. */
export const NOTICE_DAYS = 30;

/** Holders that fell silent or came back on this day, and what happens once in a simulation. */
export function befall(world: World): void {
  const { day, days, holders } = world;
  for (const holder of holders) {
    if (holder.downUntil !== undefined && holder.downUntil <= day) {
      delete holder.downSince;
      delete holder.downUntil;
    }
    if (world.chance.is(ASSUMPTIONS.outagesPerYear / DAYS_OF_YEAR))
      silence(world, holder, world.chance.logNormal(ASSUMPTIONS.outageHours, ASSUMPTIONS.outageSigma) / HOURS);
    startLie(world, holder);
  }
  failTogether(
    world,
    (holder) => holder.offer.site,
    ASSUMPTIONS.siteFailuresPerYear,
    ASSUMPTIONS.siteHours,
    ASSUMPTIONS.siteLossPart,
  );
  failTogether(world, (holder) => `${holder.offer.as}`, ASSUMPTIONS.systemFailuresPerYear, ASSUMPTIONS.systemHours, 0);
  if (day === Math.floor(days * MOMENTS.ejection)) ejectMany(world);
  if (day === Math.floor(days * MOMENTS.shock)) shockPrices(world);
  if (day === Math.floor(days * MOMENTS.collusion)) collude(world);
}

function silence(world: World, holder: Holder, forDays: number): void {
  const until = world.day + forDays;
  if (until <= world.day + 1 || until <= (holder.downUntil ?? 0)) return;
  holder.downSince ??= world.day;
  holder.downUntil = until;
}

/** There is nothing to throw away before there is a shard. */
function startLie({ day, chance }: World, holder: Holder): void {
  if (holder.lie === 0 || holder.liedSince !== undefined || day < holder.liesFrom || holder.shards.size === 0) return;
  holder.liedSince = day;
  for (const shard of holder.shards) shard.isDropped = chance.is(holder.lie);
}

/** Sites or systems: all of one fall silent, or are destroyed. */
function failTogether(
  world: World,
  nameOf: (holder: Holder) => string,
  ...[perYear, medianHours, lossPart]: readonly [number, number, number]
): void {
  const { chance } = world;
  const groups = Map.groupBy(world.holders, nameOf);
  for (const group of groups.values()) {
    if (!chance.is(perYear / DAYS_OF_YEAR)) continue;
    const isDestroyed = chance.is(lossPart);
    const forDays = chance.logNormal(medianHours, ASSUMPTIONS.failureSigma) / HOURS;
    for (const holder of group) silence(world, holder, isDestroyed ? Number.POSITIVE_INFINITY : forDays);
  }
}

function ejectMany(world: World): void {
  for (const holder of world.chance.some(world.holders, Math.round(world.holders.length * ASSUMPTIONS.ejectedPart)))
    eject(world, holder);
}

/** Its shards count as lost. They can still be read, for as long as it lives. */
export function eject(world: World, holder: Holder): void {
  holder.isEjected = true;
  markChanged(world, holder);
}

function shockPrices(world: World): void {
  const { chance, holders } = world;
  for (const holder of chance.some(holders, Math.round(holders.length * ASSUMPTIONS.shockPart))) {
    holder.offer = { ...holder.offer, price: holder.offer.price * 3 };
    if (chance.is(ASSUMPTIONS.shockLeavePart))
      Object.assign(holder, { dies: world.day + NOTICE_DAYS, isGraceful: true });
  }
}

function collude(world: World): void {
  for (const holder of world.holders.filter(({ isColluder }) => isColluder))
    silence(world, holder, Number.POSITIVE_INFINITY);
}

/** Whether a holder will not come back: it ended, or its site was destroyed. */
export function isGone({ dies, downUntil }: Holder, day: number): boolean {
  return dies <= day || downUntil === Number.POSITIVE_INFINITY;
}

/** Another holder comes in the place of one that is gone. Its shards have no holder any more. */
export function replace(world: World, place: number): void {
  const old = world.holders[place];
  if (old === undefined) return;
  markChanged(world, old);
  for (const { segment, index } of [...old.shards]) {
    const of = world.segments[segment];
    if (of !== undefined) takeAway(of, index);
  }
  if (old.liedSince !== undefined && old.firstCaughtOn === undefined)
    world.tally.uncaught.set(old.lie, (world.tally.uncaught.get(old.lie) ?? 0) + 1);
  world.holders[place] = createHolder(world.births, world.born++, world.day);
}
