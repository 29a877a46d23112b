import type { Move } from './move.ts';
import { isOpenersRound } from './move.ts';
import type { Mutant } from './mutants.ts';
import { CLOCK_S, ENTRY_S, type Shape, TRACE_ENTRY_S } from './shape.ts';

export type Side = 'O' | 'R';
export const otherSide = (side: Side): Side => (side === 'O' ? 'R' : 'O');

/** Who challenges whom, and where their paths part. */
export interface Parties {
  readonly id: string;
  readonly parent: number;
  readonly node: Readonly<Record<Side, number>>;
  /** The ends of the nodes: an L1 reorg that swaps siblings makes other challenges. */
  readonly end: Readonly<Record<Side, number>>;
  readonly staker: Readonly<Record<Side, number>>;
}

export const challengeId = (parties: Omit<Parties, 'id'>): string =>
  [parties.parent, parties.end.O, parties.staker.O, parties.end.R, parties.staker.R].join('/');

/** The record of L1. */
export interface Challenge {
  readonly parties: Parties;
  position: Move;
  turn: Side;
  since: number;
  readonly clock: Record<Side, number>;
  closed: boolean;
  /** The points of the position were not published; by the rules this cannot be. */
  withheld: boolean;
}

export function openChallenge(parties: Parties, position: Move, now: number): Challenge {
  const turn = isOpenersRound(position.round) ? 'R' : 'O';
  return { parties, position, turn, since: now, clock: { O: CLOCK_S, R: CLOCK_S }, closed: false, withheld: false };
}

export const copyChallenge = (record: Challenge): Challenge => ({ ...record, clock: { ...record.clock } });

export const clockLeft = (record: Challenge, now: number): number => record.clock[record.turn] - (now - record.since);

/** Takes the time since the last entry off the clock of whose turn it is; false when the clock is out. */
export function charge(record: Challenge, now: number, mutant: Mutant | undefined): boolean {
  if (clockLeft(record, now) <= 0) return false;
  if (mutant !== 'clocks are not charged') record.clock[record.turn] -= now - record.since;
  record.since = now;
  return true;
}

/** A move takes its place: the turn is the other's, who has at least E. */
export function enter(
  record: Challenge,
  move: Move,
  { shape, mutant }: { shape: Shape; mutant: Mutant | undefined },
): void {
  record.position = move;
  record.turn = isOpenersRound(move.round) ? 'R' : 'O';
  const least = move.round === shape.iterationRounds ? TRACE_ENTRY_S : ENTRY_S;
  if (mutant !== 'no least clock') record.clock[record.turn] = Math.max(record.clock[record.turn], least);
}
