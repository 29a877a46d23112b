/** An assertion on L1 that contradicts what this node derived, with both values. */
export interface FalseAssertion {
  nodeId: string;
  status: 'live' | 'dead' | 'confirmed';
  reason: 'state' | 'no such state' | 'parent';
  stake: number;
  l1Block: number;
  batch: number;
  asserted: { blockHash: string; sendRoot: string };
  derived?: { block: number; blockHash: string; sendRoot: string };
}

/** A challenge of the own stake. */
export interface Challenge {
  id: string;
  side: 'opener' | 'responder';
  opponent: string;
  onL1: 'none' | 'open' | 'closed';
  round: number;
  heardRound: number;
  turn: 'own' | 'opponent' | null;
  leftSeconds: number | null;
  next: 'nothing' | 'talk' | 'open' | 'answer' | 'settle' | 'timeout' | 'lost';
  urgent: boolean;
  waiting?: string;
}

/** What is asserted of L2 on L1. */
export interface Assertions {
  mode: 'watching' | 'asserting';
  state: 'unseen' | 'sound' | 'false-pending' | 'false-confirmed';
  l1Block: number | null;
  confirmedBatch: number | null;
  confirmedBlock: number | null;
  pending: number;
  readonly false: readonly FalseAssertion[];
  readonly challenges?: readonly Challenge[];
  waiting?: string;
}

export type ShownAssertions = Omit<Assertions, 'false' | 'challenges'> & {
  false: FalseAssertion[];
  challenges?: Challenge[];
};

export function describeAssertions({ false: found, challenges, ...rest }: Assertions): ShownAssertions {
  return { ...rest, false: [...found], ...(challenges !== undefined && { challenges: [...challenges] }) };
}
