/**
 * What the parties of a challenge sign, by EIP-712: a `Move`, and `Concede`. A signature is made and recovered at the edge; here is
 * what it is of.
 */
import type { Hex } from '../brand.ts';
import { hashText, type TypedDataDomain, typedDataHash } from '../typed-data.ts';
import type { GlobalState } from './global-state.ts';
import type { OpenedState } from './machine-state.ts';
import { POINTS, pointsRoot } from './points.ts';
import { FIRST_STEP_ROUND, type Place } from './rounds.ts';
import { hashWords } from './words.ts';

/** Where signatures are for: one ChallengeManager on one L1. */
export interface SigningDomain {
  readonly chainId: bigint;
  readonly challengeManager: Hex;
}

/** A move with its points, of which the signed message has the root and the last one. */
export interface Move extends Place {
  readonly challenge: Hex;
  /** Which point of the move before it denies; 0 in the first round. */
  readonly choice: number;
  /** Hash of the move before; zero in the first round. */
  readonly prev: Hex;
  /** The state that both agree on, before point 0. */
  readonly start: Hex;
  /** 32 points. */
  readonly points: readonly Hex[];
}

/** What a move of round 5 shows besides: the preimages of two hashes, so that L1 sees that it is about one iteration. */
export interface Openings {
  /** G before the iteration. */
  readonly before: GlobalState;
  /** The machine after 2^40 steps, as the mover says. */
  readonly end: OpenedState;
}

/** A move as it travels: `openings` are there in round 5 alone. The signature is not of them, since the hashes bind them. */
export interface SignedMove {
  readonly move: Move;
  readonly openings: Openings | undefined;
  /** r, s, v: 65 bytes. */
  readonly signature: Hex;
}

export const NO_MOVE: Hex = `0x${'00'.repeat(32)}`;

const DOMAIN_NAME = 'Nectar ChallengeManager';
const DOMAIN_VERSION = '1';
const MOVE_TYPE =
  'Move(bytes32 challenge,uint8 round,uint8 choice,uint64 iteration,uint64 step,bytes32 prev,bytes32 start,bytes32 end,bytes32 root)';
const CONCEDE_TYPE = 'Concede(bytes32 challenge)';
const [MOVE_HASH, CONCEDE_HASH] = [hashText(MOVE_TYPE), hashText(CONCEDE_TYPE)];

/** The last point: what the mover says is true at the end of the range. */
export function endOf({ points }: Pick<Move, 'points'>): Hex {
  return pointAt(points, POINTS - 1);
}

/** The state that both agree on before the point `choice`. */
export function startBefore(move: Pick<Move, 'start' | 'points'>, choice: number): Hex {
  return choice === 0 ? move.start : pointAt(move.points, choice - 1);
}

/** @throws RangeError when there is no such point */
export function pointAt(points: readonly Hex[], index: number): Hex {
  const point = points[index];
  if (point === undefined) throw new RangeError(`there is no point ${index}`);
  return point;
}

/** EIP-712's hashStruct of a move. */
function moveStructHash(move: Move): Hex {
  const { challenge, round, choice, iteration, step, prev, start, points } = move;
  const numbers = [BigInt(round), BigInt(choice), iteration, step];
  return hashWords([MOVE_HASH, challenge, ...numbers, prev, start, endOf(move), pointsRoot(points)]);
}

/** The hash of a move: what is signed, what the next move names, and what L1 stores as its position. */
export function moveHash(domain: SigningDomain, move: Move): Hex {
  return typedDataHash(typedDataDomain(domain), moveStructHash(move));
}

/** What a party signs that gives a challenge up. */
export function concessionHash(domain: SigningDomain, challenge: Hex): Hex {
  return typedDataHash(typedDataDomain(domain), hashWords([CONCEDE_HASH, challenge]));
}

/** Whether a move shows preimages. */
export const hasOpenings = (round: number): boolean => round === FIRST_STEP_ROUND;

function typedDataDomain({ chainId, challengeManager }: SigningDomain): TypedDataDomain {
  return { name: DOMAIN_NAME, version: DOMAIN_VERSION, chainId, verifyingContract: challengeManager };
}
