import type { Challenge } from './challenge.ts';
import type { L1 } from './l1.ts';
import { at, type Random } from './random.ts';
import { childrenOf } from './rollup.ts';
import { JOIN_S, MAX_REFUND_PERCENT, PERIOD_S, REWARD_PERCENT, STAKE, WORST_S } from './shape.ts';
import { isTrueNode } from './truth.ts';

/** What has to hold after every event. */

/** Talking comes before the clocks and is not in the page's sum; so are the transactions that no clock charges (open, prune, confirm). */
export const UNCLOCKED_S = 3 * 3600;

export interface Watch {
  /** The highest round of each record; a record that a reorg or the timelock takes back is another one afterwards. */
  readonly rounds: WeakMap<Challenge, number>;
  /** The longest that a confirmation took from the first child on, on the freeze clock. */
  worstS: number;
  /** The least that the honest side had left on a clock when it answered. */
  leastLeftS: number;
}

export const createWatch = (): Watch => ({ rounds: new WeakMap(), worstS: 0, leastLeftS: Number.POSITIVE_INFINITY });

/** The first promise that is broken, or undefined. */
export function findViolation(l1: L1, watch: Watch): string | undefined {
  const { rollup, challenges } = l1.state;
  if (rollup.stakes.some(({ owner, state }) => owner === 'honest' && state === 'eliminated'))
    return 'the honest stake is lost';
  for (const record of challenges.values()) {
    if (record.clock.O < 0 || record.clock.R < 0) return 'a clock is negative';
    if (record.position.round < (watch.rounds.get(record) ?? 0)) return 'a round shrank';
    watch.rounds.set(record, record.position.round);
  }
  return findWrongFunds(l1) ?? findWrongNode(l1, watch);
}

function findWrongFunds({ state: { rollup } }: L1): string | undefined {
  const { funds, stakes } = rollup;
  const locked = stakes.filter(({ state }) => state === 'live').length * STAKE;
  if (funds.in !== locked + funds.owed.honest + funds.owed.liar + funds.burned) return 'funds in are not funds out';
  const lost = stakes.filter(({ state }) => state === 'eliminated').length;
  const least = (lost * STAKE * (100 - MAX_REFUND_PERCENT - REWARD_PERCENT)) / 100;
  return funds.burned < least ? 'less is burned than the rules burn' : undefined;
}

function findWrongNode(l1: L1, watch: Watch): string | undefined {
  const { rollup, clock } = l1.state;
  for (const p of rollup.nodes) {
    if (p.status !== 'confirmed') continue;
    if (!isTrueNode(l1.rules, rollup, p.id)) return 'a false assertion is confirmed';
    if (p.windowChildren === 0) continue;
    const begin = Math.max(p.firstChildAt, p.confirmedAt, l1.state.voidedAt - PERIOD_S - JOIN_S);
    const child = childrenOf(rollup, p.id).find(({ status }) => status === 'confirmed');
    const took = (child?.confirmedAt ?? clock) - begin;
    if (child !== undefined) watch.worstS = Math.max(watch.worstS, took);
    if (took > WORST_S + UNCLOCKED_S) return 'a confirmation is late';
  }
  return undefined;
}

/** The truth is confirmed as deep as anything is asserted. */
export function isOver({ state: { rollup } }: L1): boolean {
  const p = at(rollup.nodes, rollup.latestConfirmed);
  return rollup.latestConfirmed !== 0 && p.liveChildren === 0;
}

/** A share of what may be taken from the honest side, with some luck in it. */
export const share = (random: Random, part: number): number => (part === 1 ? 1 : part * random.next());
