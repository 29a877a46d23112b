/** The rounds of a dispute: whose each is, and how far its points are apart. */
import { POINTS } from './points.ts';

/** Rounds 1 to 4 are about iterations, 5 to 12 about steps of one iteration. */
export const ITERATION_ROUNDS = 4;
export const FIRST_STEP_ROUND = ITERATION_ROUNDS + 1;
export const LAST_ROUND = 12;

export const ITERATIONS = BigInt(POINTS) ** BigInt(ITERATION_ROUNDS);
export const STEPS = BigInt(POINTS) ** BigInt(LAST_ROUND - ITERATION_ROUNDS);

/** O opens, R responds. */
export type Side = 'O' | 'R';

/** Who signs the moves of a round: the opener those of odd rounds. */
export const sideOfRound = (round: number): Side => (round % 2 === 1 ? 'O' : 'R');

export const otherSide = (side: Side): Side => (side === 'O' ? 'R' : 'O');

/** How far a point of a round is from the next: in iterations, from round 5 on in steps. */
export function widthOf(round: number): bigint {
  const end = round <= ITERATION_ROUNDS ? ITERATION_ROUNDS : LAST_ROUND;
  return BigInt(POINTS) ** BigInt(end - round);
}

/** Where a move stands. */
export interface Place {
  readonly round: number;
  /** The iteration before the first point; from round 5 on the one whose steps it is about. */
  readonly iteration: bigint;
  readonly step: bigint;
}

/** The place of the answer that denies the point `choice` of a move at `place`. */
export function placeAfter(place: Place, choice: number): Place {
  const distance = BigInt(choice) * widthOf(place.round);
  const round = place.round + 1;
  if (place.round <= ITERATION_ROUNDS) return { round, iteration: place.iteration + distance, step: 0n };
  return { round, iteration: place.iteration, step: place.step + distance };
}
