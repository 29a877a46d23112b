import type { ChallengeState } from './challenges.ts';

/** A challenge of the own stake, for people and other roles. */
export interface ShownChallenge {
  id: string;
  side: 'opener' | 'responder';
  /** Owner of the opponent's stake. */
  opponent: string;
  onL1: 'none' | 'open' | 'closed';
  /** Of the newest move on L1; 0 without one. */
  round: number;
  /** Of the newest valid message of the opponent off chain; 0 without one. */
  heardRound: number;
  /** Whose turn it is on L1, and the seconds of the freeze clock that are left to it. */
  turn: 'own' | 'opponent' | null;
  leftSeconds: number | null;
  /** What this node does next. */
  next: 'nothing' | 'talk' | 'open' | 'answer' | 'settle' | 'timeout' | 'lost';
  /** Less than a day is left on the own clock, or it is out. */
  urgent: boolean;
  /** Why the last try came to nothing. */
  waiting?: string;
}

const MAX_SHOWN = 256;

/** The most urgent ones first; a reverse direction in which nothing happened is left out. */
export function describeChallenges(states: readonly ChallengeState[]): ShownChallenge[] {
  return states
    .filter(({ side, onL1, heardRound }) => side === 'O' || onL1 !== 'none' || heardRound > 0)
    .map(describe)
    .toSorted((a, b) => Number(b.urgent) - Number(a.urgent))
    .slice(0, MAX_SHOWN);
}

function describe(state: ChallengeState): ShownChallenge {
  const { id, side, opponent, onL1, round, heardRound, turn, leftS, next, isUrgent, waiting } = state;
  return {
    id,
    side: side === 'O' ? 'opener' : 'responder',
    opponent,
    onL1,
    round,
    heardRound,
    turn: turn === undefined ? null : turn === side ? 'own' : 'opponent',
    leftSeconds: leftS === undefined ? null : Number(leftS),
    next,
    urgent: isUrgent,
    ...(waiting !== undefined && { waiting }),
  };
}
