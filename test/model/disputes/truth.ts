import type { Point } from './machine.ts';
import { indexAfter, type Move, type Rules, type Subject, sealMove, startOf } from './move.ts';
import { at } from './random.ts';
import type { Rollup } from './rollup.ts';
import { iterations, lastRound, width } from './shape.ts';

/** What a party that has the batches knows: the true points at an index, and which assertions are true. */

export function isTrueNode(rules: Rules, rollup: Rollup, id: number): boolean {
  const node = at(rollup.nodes, id);
  if (node.parent < 0) return true;
  return isTrueNode(rules, rollup, node.parent) && node.g === trueEnd(rules, at(rollup.nodes, node.parent).g);
}

export const trueEnd = (rules: Rules, g: number): number => rules.machine.stateAfter(g, iterations(rules.shape));

interface Place {
  readonly round: number;
  readonly iteration: number;
  readonly step: number;
}

function stateAt({ machine, shape }: Rules, start: number, { round, iteration, step }: Place): Point {
  if (round <= shape.iterationRounds) return `g${machine.stateAfter(start, iteration)}`;
  return machine.trace(machine.stateAfter(start, iteration), step);
}

export function truePoints(rules: Rules, start: number, place: Place): Point[] {
  const distance = width(rules.shape, place.round);
  const isIteration = place.round <= rules.shape.iterationRounds;
  return Array.from({ length: rules.shape.k }, (_, i) => {
    const ahead = distance * (i + 1);
    const [iteration, step] = isIteration ? [place.iteration + ahead, 0] : [place.iteration, place.step + ahead];
    return stateAt(rules, start, { round: place.round, iteration, step });
  });
}

export const isStartTrue = (rules: Rules, subject: Subject, move: Move): boolean =>
  move.start === stateAt(rules, subject.start, move);

/** The first point that is false; undefined when none is. */
export function findLie(rules: Rules, subject: Subject, move: Move): number | undefined {
  const truth = truePoints(rules, subject.start, move);
  const lie = move.points.findIndex((point, i) => point !== truth[i]);
  return lie < 0 ? undefined : lie;
}

/** Where the answer to a choice stands, and the state that it starts from. */
export function nextPlace({ machine, shape }: Rules, prev: Move, choice: number): Place & { start: Point } {
  const round = prev.round + 1;
  const start = startOf(prev, choice);
  const place = { round, ...indexAfter(shape, prev, choice) };
  if (round !== shape.iterationRounds + 1) return { ...place, start };
  return { ...place, start: machine.trace(Number(start.slice(1)), 0) };
}

/** The true answer that denies the point `choice`. */
export function answer(rules: Rules, subject: Subject, prev: Move, choice: number): Move {
  const place = nextPlace(rules, prev, choice);
  const points = truePoints(rules, subject.start, place);
  return sealMove({ challenge: subject.challenge, choice, prev: prev.hash, ...place, points });
}

export function firstMove(rules: Rules, subject: Subject): Move {
  const place = { round: 1, iteration: 0, step: 0 };
  const points = truePoints(rules, subject.start, place);
  return sealMove({ challenge: subject.challenge, choice: 0, prev: 0, ...place, start: `g${subject.start}`, points });
}

export const isLast = (rules: Rules, move: Move): boolean => move.round === lastRound(rules.shape);
