/** valid(prev, choice, m) of the protocol, as L1 checks it. Adversary: an opponent that signs whatever helps it. */
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { bytesToHex, hexToBytes } from '../rollup/bytes.ts';
import { FIELD_MODULUS } from './field.ts';
import { failedState, globalStateHash, type MachineTask, machineInput } from './global-state.ts';
import { FLAG_OK, FLAG_RUN, type OpenedState, stateHash } from './machine-state.ts';
import {
  endOf,
  hasOpenings,
  type Move,
  moveHash,
  NO_MOVE,
  type Openings,
  pointAt,
  type SigningDomain,
  startBefore,
} from './move.ts';
import { POINTS } from './points.ts';
import { LAST_ROUND, placeAfter } from './rounds.ts';

/** What L1 knows of a challenge before any move. */
export interface ChallengeSubject {
  readonly id: Hex;
  readonly domain: SigningDomain;
  /** g of the node where the paths part. */
  readonly start: Hex;
  /** g of the opener's node. */
  readonly end: Hex;
  /** Core of the machine before its first step. */
  readonly core0: bigint;
}

/** A move to be judged: what it answers, and what it shows. */
export interface JudgedMove {
  /** The move before; undefined in the first round. */
  readonly prev: Move | undefined;
  readonly move: Move;
  readonly openings: Openings | undefined;
  /** What L1 says of the iteration that `openings` are about; needed with them. */
  readonly task: MachineTask | undefined;
}

const OUTPUT_NONE = new Uint8Array(32);

/** Throws DISPUTE_MOVE_INVALID unless the move follows from the one before. Says nothing of who signed it, nor of what is true. */
export function verifyMove(subject: ChallengeSubject, judged: JudgedMove): void {
  const { prev, move, openings } = judged;
  const refuse = (reason: string): never => {
    throw new NectarError('DISPUTE_MOVE_INVALID', { round: move.round, reason });
  };
  if (move.challenge !== subject.id) refuse('it is of another challenge');
  if (move.points.length !== POINTS) refuse(`it has ${move.points.length} points`);
  if (hasOpenings(move.round) !== (openings !== undefined)) refuse('it opens what its round does not');
  if (prev === undefined) {
    const isFirst = move.round === 1 && move.prev === NO_MOVE && move.choice === 0;
    if (!isFirst || move.iteration !== 0n || move.step !== 0n) refuse('it is no first move');
    if (move.start !== subject.start) refuse('it does not start where the paths part');
    if (endOf(move) !== subject.end) refuse("it does not end at the opener's assertion");
    return;
  }
  const fault =
    placeFault(subject, prev, move) ??
    (openings ? openingFault(subject, prev, { ...judged, openings }) : rangeFault(prev, move));
  if (fault !== undefined) refuse(fault);
}

function placeFault({ domain }: ChallengeSubject, prev: Move, move: Move): string | undefined {
  if (move.round !== prev.round + 1 || move.round > LAST_ROUND) return 'its round does not follow';
  if (move.choice < 0 || move.choice >= POINTS) return 'it denies no point';
  if (move.prev !== moveHash(domain, prev)) return 'it answers another move';
  const place = placeAfter(prev, move.choice);
  if (move.iteration !== place.iteration || move.step !== place.step) return 'it stands elsewhere';
  return undefined;
}

function rangeFault(prev: Move, move: Move): string | undefined {
  if (move.start !== startBefore(prev, move.choice)) return 'it starts at another state';
  if (endOf(move) === pointAt(prev.points, move.choice)) return 'it ends where the move before does';
  return undefined;
}

/** Round 5: both sides of the one iteration are opened, so that the steps are of it. */
function openingFault(
  { core0 }: ChallengeSubject,
  prev: Move,
  { move, openings: { before, end }, task }: JudgedMove & { readonly openings: Openings },
): string | undefined {
  if (task === undefined) return 'L1 does not know the batch of its iteration';
  if (globalStateHash(before) !== startBefore(prev, move.choice)) return 'the opened state is not the agreed one';
  const input = machineInput(before, task);
  if (move.start !== firstState(core0, input)) return 'it does not start at the empty machine';
  if (!isCanonical(end) || hashOf(end) !== endOf(move)) return 'the opened end is not its last point';
  if (bytesToHex(end.input) !== input) return 'the opened end is of another input';
  if (resultOf(before, end) === pointAt(prev.points, move.choice)) return 'its result is what it denies';
  return undefined;
}

/** s_0: the machine with its input, before the first step. */
export function firstState(core0: bigint, input: Hex): Hex {
  return hashOf({ core: core0, input: hexToBytes(input), output: OUTPUT_NONE, flag: FLAG_RUN });
}

/** g after an iteration that began at `before` and ended in this state of the machine. */
export function resultOf(before: Parameters<typeof failedState>[0], end: OpenedState): Hex {
  return end.flag === FLAG_OK ? bytesToHex(end.output) : globalStateHash(failedState(before));
}

/** One state has one encoding: another one of the same field element would let a liar deny the truth. */
function isCanonical({ core, input, output }: OpenedState): boolean {
  return core >= 0n && core < FIELD_MODULUS && input.length === 32 && output.length === 32;
}

function hashOf(state: OpenedState): Hex {
  return bytesToHex(stateHash(state));
}
