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

/** What is asserted of L2 on L1. */
export interface Assertions {
  mode: 'watching' | 'asserting';
  state: 'unseen' | 'sound' | 'false-pending' | 'false-confirmed';
  l1Block: number | null;
  confirmedBatch: number | null;
  confirmedBlock: number | null;
  pending: number;
  readonly false: readonly FalseAssertion[];
  waiting?: string;
}

export type ShownAssertions = Omit<Assertions, 'false'> & { false: FalseAssertion[] };

export function describeAssertions({ false: found, ...rest }: Assertions): ShownAssertions {
  return { ...rest, false: [...found] };
}
