import { findG, findState, type Machine, type Point } from './machine.ts';
import type { Mutant } from './mutants.ts';
import { digest } from './random.ts';
import { lastRound, type Shape, width } from './shape.ts';

/** What both parties sign: the EIP-712 `Move` with its points. */
export interface Move {
  readonly challenge: string;
  readonly round: number;
  readonly choice: number;
  readonly iteration: number;
  readonly step: number;
  readonly prev: number;
  readonly start: Point;
  readonly points: readonly Point[];
  readonly hash: number;
}

/** What L1 knows of a challenge before any move. */
export interface Subject {
  readonly challenge: string;
  /** g of p. */
  readonly start: number;
  /** g of nodeO. */
  readonly end: number;
}

export interface Rules {
  readonly machine: Machine;
  readonly shape: Shape;
  readonly mutant: Mutant | undefined;
  /** Gwei a unit of gas, refunded; far too high in some games, so that few entries reach the limit. */
  readonly gasPrice: number;
}

export function sealMove(move: Omit<Move, 'hash'>): Move {
  const { challenge, round, choice, iteration, step, prev, start, points } = move;
  return { ...move, hash: digest([challenge, round, choice, iteration, step, prev, start, ...points].join()) };
}

export const isOpenersRound = (round: number): boolean => round % 2 === 1;

/** The state that both agree on before the point `choice`. */
export const startOf = (move: Move, choice: number): Point =>
  choice === 0 ? move.start : (move.points[choice - 1] ?? '');

/** Where the answer to `choice` is about: indices follow from the move answered. */
export function indexAfter(shape: Shape, prev: Move, choice: number): { iteration: number; step: number } {
  const distance = choice * width(shape, prev.round);
  if (prev.round <= shape.iterationRounds) return { iteration: prev.iteration + distance, step: 0 };
  return { iteration: prev.iteration, step: prev.step + distance };
}

/** valid(prev, choice, m) of the page. */
export function isValid(rules: Rules, subject: Subject, prev: Move | undefined, move: Move): boolean {
  const { shape, mutant } = rules;
  if (move.challenge !== subject.challenge || move.points.length !== shape.k) return false;
  const end = move.points[shape.k - 1];
  if (prev === undefined) {
    const isFirst = move.round === 1 && move.prev === 0 && move.iteration === 0 && move.step === 0 && move.choice === 0;
    return isFirst && move.start === `g${subject.start}` && end === `g${subject.end}`;
  }
  if (move.round !== prev.round + 1 || move.round > lastRound(shape) || move.prev !== prev.hash) return false;
  const denied = prev.points[move.choice];
  if (denied === undefined || end === undefined) return false;
  const index = indexAfter(shape, prev, move.choice);
  const isIndexed = move.iteration === index.iteration && move.step === index.step;
  if (!isIndexed && mutant !== 'index is free') return false;
  if (move.round === shape.iterationRounds + 1) return isFirstOfSteps(rules, prev, move);
  if (move.start !== startOf(prev, move.choice) && mutant !== 'start is free') return false;
  return end !== denied || mutant === 'end may agree';
}

/** The first round about steps: L1 opens G, computes s_0 and reads the result out of the opened end. */
function isFirstOfSteps({ machine, shape, mutant }: Rules, prev: Move, move: Move): boolean {
  const g = findG(startOf(prev, move.choice));
  const end = move.points[shape.k - 1];
  if (g === undefined || end === undefined || move.step !== 0) return false;
  if (move.start !== machine.trace(g, 0) && mutant !== 'first state is free') return false;
  if (findState(end)?.input !== g) return false;
  const result = machine.resultOf(g, end);
  if (result === undefined) return false;
  return `g${result}` !== prev.points[move.choice] || mutant === 'result may agree';
}
