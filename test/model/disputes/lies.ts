import type { Parties } from './challenge.ts';
import type { L1, Settlement, Signed } from './l1.ts';
import { findState, otherEncoding, type Point } from './machine.ts';
import { type Move, type Subject, sealMove } from './move.ts';
import { at, type Random } from './random.ts';
import { isLast, nextPlace, truePoints } from './truth.ts';

/** Moves and proofs of a liar who knows the truth. */

/** What it makes them of. `cheat`: how likely a message breaks a rule. */
export interface Liar {
  readonly l1: L1;
  readonly random: Random;
  readonly cheat: number;
}

function lie({ random }: Liar, kind: 'g' | 'state', truth: Point): Point {
  if (kind === 'g') return `g${random.int(2 ** 31)}`;
  const state = findState(truth);
  const core = random.chance(0.3) ? (state?.core ?? 'c0') : `${random.int(2 ** 31)}.${random.int(4)}`;
  return [core, state?.input ?? 0, random.int(2 ** 31), random.pick(['RUN', 'OK', 'FAIL'])].join('|');
}

/** Points of which each may be true; also true ones after the first lie, other encodings, and what nobody can open. */
function drawPoints(liar: Liar, subject: Subject, place: Parameters<typeof truePoints>[2]): Point[] {
  const { l1, random } = liar;
  const kind = place.round <= l1.rules.shape.iterationRounds ? 'g' : 'state';
  const honesty = random.pick([0, 0.5, 1]);
  return truePoints(l1.rules, subject.start, place).map((truth) => {
    if (random.chance(honesty)) return truth;
    if (random.chance(0.1)) return kind === 'state' ? otherEncoding(truth) : 'what nobody can open';
    return lie(liar, kind, truth);
  });
}

export function firstLie(liar: Liar, subject: Subject): Move {
  const place = { round: 1, iteration: 0, step: 0 };
  const points = drawPoints(liar, subject, place);
  points[points.length - 1] = `g${subject.end}`;
  return cheated(liar, subject, {
    challenge: subject.challenge,
    choice: 0,
    prev: 0,
    ...place,
    start: `g${subject.start}`,
    points,
  });
}

/** An answer to a message; undefined when the last round is over. */
export function nextLie(liar: Liar, subject: Subject, prev: Move): Move | undefined {
  const { l1, random } = liar;
  if (isLast(l1.rules, prev)) return undefined;
  const choice = random.int(l1.rules.shape.k);
  const place = nextPlace(l1.rules, prev, choice);
  const points = drawPoints(liar, subject, place);
  const isFirstOfSteps = place.round === l1.rules.shape.iterationRounds + 1;
  const end = points.length - 1;
  const denied = at(prev.points, choice);
  const makes = isFirstOfSteps
    ? `g${l1.rules.machine.resultOf(Number(place.start.split('|')[1]), at(points, end))}`
    : points[end];
  if (makes === denied || (isFirstOfSteps && findState(at(points, end)) === undefined)) {
    points[end] = lie(liar, isFirstOfSteps || !denied.startsWith('g') ? 'state' : 'g', at(points, end));
    if (isFirstOfSteps) points[end] = `1.1|${place.start.split('|')[1]}|${random.int(2 ** 31)}|OK`;
  }
  return cheated(liar, subject, { challenge: subject.challenge, choice, prev: prev.hash, ...place, points });
}

/** Breaks a rule of `valid` now and then. */
function cheated(liar: Liar, subject: Subject, move: Omit<Move, 'hash'>): Move {
  const { l1, random, cheat } = liar;
  if (!random.chance(cheat)) return sealMove(move);
  const { shape } = l1.rules;
  const kind = move.round <= shape.iterationRounds ? 'g' : 'state';
  switch (random.int(5)) {
    case 0:
      return sealMove({ ...move, start: lie(liar, kind, move.start) });
    case 1:
      return sealMove({ ...move, iteration: move.iteration + random.pick([-1, 1]) });
    case 2:
      return sealMove({ ...move, step: move.step + random.pick([-1, 1]) });
    case 3:
      return sealMove({ ...move, points: truePoints(l1.rules, subject.start, move) });
    default:
      return sealMove({ ...move, round: move.round + random.pick([-2, 2]) });
  }
}

/** A message that the other never signed, to be answered as if it had. */
export function forge(liar: Liar, parties: Parties, round: number): Move {
  const { l1, random } = liar;
  const kind = round <= l1.rules.shape.iterationRounds ? 'g' : 'state';
  const points = Array.from({ length: l1.rules.shape.k }, () => lie(liar, kind, '0.1|0|0|RUN'));
  const place = { iteration: 0, step: 0, start: lie(liar, kind, '0.1|0|0|RUN') };
  return sealMove({ challenge: parties.id, round, choice: 0, prev: random.int(1000), ...place, points });
}

/** A proof against a message of the last round, or of another one; true, or by another encoding, another start, the point itself. */
export function falseProof(liar: Liar, parties: Parties, on: Signed): Settlement {
  const { l1, random } = liar;
  const choice = random.int(l1.rules.shape.k);
  const point = at(on.move.points, choice);
  const opened = choice === 0 ? on.move.start : at(on.move.points, choice - 1);
  const pre = random.chance(0.3) ? lie(liar, 'state', opened) : opened;
  const next = l1.rules.machine.step(pre) ?? point;
  const post = random.pick([next, otherEncoding(next), point, lie(liar, 'state', point)]);
  return { parties, on, choice, pre, post };
}
