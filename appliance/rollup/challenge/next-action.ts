import { LAST_ROUND, type Side } from '../../../protocol/dispute/rounds.ts';

/** Talking ends after so long a silence, or so long in all: a liar has no reason to talk, and L1 needs no talk. */
export const TALK_SILENCE_MS = 600_000;
export const TALK_MS = 3_600_000;
/** With less on the own clock a human has to know. */
export const URGENT_S = 86_400n;

/** One challenge as the table sees it. */
export interface Situation {
  readonly side: Side;
  readonly isFrozen: boolean;
  /** `none`: L1 has no record of it. */
  readonly onL1: 'none' | 'closed' | { readonly round: number; readonly turn: Side; readonly leftS: bigint };
  /** Round of the highest valid message that the opponent signed and this node has kept. */
  readonly heardRound: number | undefined;
  readonly canTalk: boolean;
  readonly talk: {
    /** When this node first saw the rival, and last heard a valid message of it: milliseconds since 1970. */
    readonly since: number;
    readonly heardAt: number | undefined;
  };
  readonly now: number;
}

/** What a validator does next in one challenge. */
export type ChallengeAction =
  | { readonly kind: 'nothing' | 'talk' | 'open' | 'timeout' | 'lost' }
  /** Answers, or after round 12 proves, what is the position on L1, or what was heard. */
  | { readonly kind: 'answer' | 'settle'; readonly to: 'position' | 'heard'; readonly isUrgent: boolean };

/** The validator's table, a pure function: whatever a crash, a reorg or a lost transaction took is decided again. */
export function nextAction(situation: Situation): ChallengeAction {
  const { side, onL1, heardRound = 0, isFrozen } = situation;
  if (onL1 === 'closed' || isFrozen) return { kind: 'nothing' };
  if (onL1 === 'none') return beforeL1(situation);
  const isMyTurn = onL1.turn === side;
  if (isMyTurn && onL1.leftS <= 0n) return { kind: 'lost' };
  const isUrgent = isMyTurn && onL1.leftS < URGENT_S;
  // Whoever's turn it is: the proof ends it.
  if (side === 'O' && heardRound === LAST_ROUND) return { kind: 'settle', to: 'heard', isUrgent };
  if (!isMyTurn) return { kind: onL1.leftS <= 0n ? 'timeout' : 'nothing' };
  if (heardRound > onL1.round) return { kind: 'answer', to: 'heard', isUrgent };
  return { kind: onL1.round === LAST_ROUND ? 'settle' : 'answer', to: 'position', isUrgent };
}

/** As long as the two talk nothing goes to L1; afterwards all goes there, and never back. The opener opens. */
function beforeL1({ side, heardRound = 0, canTalk, talk, now }: Situation): ChallengeAction {
  if (side === 'R') return { kind: 'nothing' };
  if (heardRound === LAST_ROUND) return { kind: 'settle', to: 'heard', isUrgent: false };
  const since = Math.min(talk.since, now);
  const heardAt = Math.min(talk.heardAt ?? since, now);
  if (canTalk && now < Math.min(since + TALK_MS, heardAt + TALK_SILENCE_MS)) return { kind: 'talk' };
  return heardRound > 0 ? { kind: 'answer', to: 'heard', isUrgent: false } : { kind: 'open' };
}
