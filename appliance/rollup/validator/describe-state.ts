import type { ChallengeState } from '../challenge/challenges.ts';
import { describeChallenges, type ShownChallenge } from '../challenge/describe-challenge.ts';
import type { FalseAlarm } from './false-alarms.ts';
import type { ValidatorState } from './validator.ts';

/** A false assertion with both values, as every surface shows it. */
export interface ShownFalseAssertion {
  nodeId: string;
  status: 'live' | 'dead' | 'confirmed';
  reason: 'state' | 'no such state' | 'parent';
  stake: number;
  l1Block: number;
  batch: number;
  asserted: { blockHash: string; sendRoot: string };
  derived?: { block: number; blockHash: string; sendRoot: string };
}

/** What is asserted of L2 on L1, for people and other roles. */
export interface ShownAssertions {
  mode: 'watching' | 'asserting';
  /** `unseen` until the first look; `false-pending`, `false-confirmed`: see the runbook. */
  state: 'unseen' | 'sound' | 'false-pending' | 'false-confirmed';
  l1Block: number | null;
  confirmedBatch: number | null;
  /** The L2 block up to which L1 believes this node's chain. */
  confirmedBlock: number | null;
  pending: number;
  false: ShownFalseAssertion[];
  /** Of the own stake; absent where there are none. */
  challenges?: ShownChallenge[];
  waiting?: string;
}

export function describeAssertions(state: ValidatorState, challenges: readonly ChallengeState[]): ShownAssertions {
  const shown = describeChallenges(challenges);
  const { mode, l1Number, latestConfirmed, pending, falseAlarms, waiting } = state;
  return {
    mode,
    state: nameOf(state),
    l1Block: l1Number === undefined ? null : Number(l1Number),
    confirmedBatch: latestConfirmed === undefined ? null : Number(latestConfirmed.batch),
    confirmedBlock: latestConfirmed?.block === undefined ? null : Number(latestConfirmed.block),
    pending,
    false: falseAlarms.map(describeFalse),
    ...(shown.length > 0 && { challenges: shown }),
    ...(waiting !== undefined && { waiting }),
  };
}

function nameOf({ l1Number, falseAlarms }: ValidatorState): ShownAssertions['state'] {
  if (falseAlarms.some(({ status }) => status === 'confirmed')) return 'false-confirmed';
  if (falseAlarms.length > 0) return 'false-pending';
  return l1Number === undefined ? 'unseen' : 'sound';
}

function describeFalse({
  nodeId,
  status,
  reason,
  stakeId,
  l1Number,
  asserted,
  derived,
}: FalseAlarm): ShownFalseAssertion {
  const { batch, blockHash, sendRoot } = asserted;
  return {
    nodeId,
    status,
    reason,
    stake: Number(stakeId),
    l1Block: Number(l1Number),
    batch: Number(batch),
    asserted: { blockHash, sendRoot },
    ...(derived && {
      derived: { block: Number(derived.block), blockHash: derived.blockHash, sendRoot: derived.sendRoot },
    }),
  };
}
