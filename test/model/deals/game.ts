import { createRandom, type Random } from '../disputes/random.ts';
import { holderActs, ownerActs } from './adversary.ts';
import { DAY_S } from './deal-state.ts';
import { checkHolder, HonestHolder, HonestOwner } from './honest.ts';
import type { DealMutant } from './mutants.ts';
import { watched } from './promises.ts';
import { Deals } from './rules.ts';
import { broken, CHUNKS, lostOf, type World } from './world.ts';

const TICK_S = 4 * 3600;
const TICKS = (130 * DAY_S) / TICK_S;
/**
 * An honest holder is silent for so many ticks at most (20 hours), and in nine of ten ticks it is not. With 60 % alone, eight tries find
 * it silent in one of 1,500 audits, as the first run of this model showed: who is away that often is accused, and not slashed.
 */
const MOST_SILENT = 5;
const UP = 0.9;
/** From the day on which somebody wants to be out to the day on which everything is back: notice, one question, a day of idling. */
const OUT_S = 33 * DAY_S;
/** A twentieth of the bytes gone is found until then: twelve audits, each delayed by seven silences. */
const FOUND_S = 26 * DAY_S;
const DRAINING_S = 30 * DAY_S;

export type Side = 'owner' | 'holder' | 'both';
export interface Outcome {
  readonly violation: string | undefined;
  readonly faults: number;
  readonly deals: number;
  readonly paidEpochs: number;
}

/** One game: the side that is honest, the other one without rules. @param seed the whole game follows from it */
export function playDeal(seed: number, mutant?: DealMutant): Outcome {
  const random = createRandom(seed);
  const honest = random.pick<Side>(['owner', 'holder', 'both']);
  const world = createWorld(random, mutant);
  const [owner, holder] = [new HonestOwner(), new HonestHolder()];
  const all = honest === 'owner' ? holderActs(owner) : ownerActs(holder);
  // Each adversary does some of all that it could.
  const some = all.filter(() => random.chance(0.6));
  const acts = some.length > 0 ? some : all;
  const givesUpAt = world.now + (40 + random.int(40)) * DAY_S;
  let [silent, lostSince] = [0, undefined as number | undefined];
  for (let tick = 0; tick < TICKS && world.violation === undefined; tick++) {
    world.now += TICK_S;
    const isUp = silent >= MOST_SILENT || random.chance(UP);
    silent = isUp ? 0 : silent + 1;
    const gaveUp = world.now > givesUpAt;
    const round = { world, isUp, gaveUp };
    const isFirst = random.chance(0.5);
    if (honest !== 'both' && isFirst) adversarysTurn(world, acts);
    if (honest !== 'holder') ownersTurn(round, owner, honest === 'owner' ? random.chance(0.7) : servesAudits(round));
    if (honest !== 'owner' && isUp) holdersTurn(round, holder, honest === 'both' ? owner.placed : undefined);
    if (honest !== 'both' && !isFirst) adversarysTurn(world, acts);
    if (honest === 'both') checkBoth(world, owner);
    if (honest === 'owner') lostSince = checkLoss(world, lostSince);
    if (gaveUp && world.now > givesUpAt + OUT_S && honest !== 'both')
      checkOut(world, honest === 'owner' ? owner : holder);
  }
  const { deals } = world;
  return {
    violation: world.violation,
    faults: deals.faulted.size,
    deals: deals.generation,
    paidEpochs: deals.paidEpochs.size,
  };
}

interface Round {
  readonly world: World;
  readonly isUp: boolean;
  readonly gaveUp: boolean;
}

function createWorld(random: Random, mutant: DealMutant | undefined): World {
  const lists = { kept: new Array<number>(CHUNKS).fill(0), sets: [], terms: [], places: [] };
  const more = { now: 1_000_000, ejectedAt: undefined, arrearsSince: undefined, violation: undefined };
  const world: World = { deals: new Deals(), random, mutant, ...lists, ...more };
  const deals = watched(new Deals(mutant), (promise) => broken(world, promise));
  return Object.assign(world, { deals });
}

/** An ejected holder answers for thirty days more. */
function servesAudits({ world, isUp }: Round): boolean {
  const { ejectedAt, now, mutant } = world;
  const serves = ejectedAt === undefined || (now - ejectedAt < DRAINING_S && mutant !== 'ejection is at once');
  return isUp && serves;
}

function ownersTurn({ world, gaveUp }: Round, owner: HonestOwner, answers: boolean): void {
  owner.act(world, answers);
  if (gaveUp) owner.giveUp(world);
}

function holdersTurn({ world, gaveUp }: Round, holder: HonestHolder, placed: readonly number[] | undefined): void {
  const before = world.deals.faulted.size;
  holder.act(world);
  const { deal } = world.deals;
  if (placed !== undefined && deal !== undefined && placed.length > 0 && deal.set.root !== placed.join(','))
    holder.sign(world, placed);
  if (placed !== undefined && world.ejectedAt === undefined && world.random.chance(0.002)) world.ejectedAt = world.now;
  if (gaveUp && placed === undefined) holder.giveUp(world);
  checkHolder(world, before);
}

function adversarysTurn(world: World, acts: readonly ((world: World) => void)[]): void {
  for (let count = world.random.int(4); count > 0; count--) {
    world.random.pick(acts)(world);
  }
}

/** Between two that follow the rules nobody is accused, and an ejected holder's bytes are elsewhere before it goes. */
function checkBoth(world: World, owner: HonestOwner): void {
  if (owner.failedAt !== undefined) broken(world, 'an honest holder was accused');
  if (world.deals.faulted.size > 0) broken(world, 'an honest holder was slashed');
}

function checkLoss(world: World, since: number | undefined): number | undefined {
  const { deal } = world.deals;
  const root = deal === undefined || (deal.endsAt !== 0 && deal.endsAt <= world.now) ? '' : deal.set.root;
  if (lostOf(world, root) < 0.05) return undefined;
  const first = since ?? world.now;
  if (world.now - first > FOUND_S) broken(world, 'a holder without a twentieth of its bytes was not found out');
  return first;
}

function checkOut(world: World, party: HonestOwner | HonestHolder): void {
  if (party.leavingAt !== undefined && world.now - party.leavingAt > OUT_S && world.deals.deal !== undefined)
    broken(world, 'a party that left did not get its money back in time');
}
