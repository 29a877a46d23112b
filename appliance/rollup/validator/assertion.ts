import type { Hex } from '../../../protocol/brand.ts';

/** G of the Rollup: a point in the execution of L2. */
export interface GlobalState {
  /** Hash of the last L2 block. */
  readonly blockHash: Hex;
  /** Root of the tree of messages to L1 after that block. */
  readonly sendRoot: Hex;
  /** The batch that is executed next. */
  readonly batch: bigint;
  /** How many of its blocks are executed already. */
  readonly offset: bigint;
}

export type AssertionStatus = 'live' | 'dead' | 'confirmed';

/** An assertion as L1's own logs tell of it. Its id binds the batches that it is about, so the id's meaning never changes. */
export interface Assertion {
  readonly nodeId: Hex;
  readonly parent: Hex;
  readonly state: GlobalState;
  /** The batch to which its children go. */
  readonly target: bigint;
  /** The stake that made it first. */
  readonly stakeId: bigint;
  /** The L1 block that took it. */
  readonly l1Number: bigint;
  readonly status: AssertionStatus;
}

/** Whether two states are the same, field by field. */
export function isSameState(a: GlobalState, b: GlobalState): boolean {
  return a.blockHash === b.blockHash && a.sendRoot === b.sendRoot && a.batch === b.batch && a.offset === b.offset;
}
