import type { OriginRef } from './batch-rules.ts';
import { MAX_ORIGIN_AGE, MAX_TIME_DRIFT_S } from './batch-rules.ts';

/** Seconds by which an unsafe block may run ahead of the own clock: two machines' clocks differ by less, or one is wrong. */
export const MAX_CLOCK_AHEAD_S = 60n;

/** L1 blocks that an origin in the own database may lie past L1's head: a reorg to a shorter chain, and no more. */
export const MAX_ORIGIN_AHEAD = 64n;

export type UnsafeFault = 'time' | 'ahead-of-clock' | 'expired';

/** What decides over a block that only the sequencer vouches for. */
export interface UnsafeContext {
  /** Seconds, of the own clock. */
  readonly now: bigint;
  readonly parent: { readonly timestamp: bigint };
  /** An L1 block that this node has derived from: never one that only the block names. */
  readonly origin: Pick<OriginRef, 'number' | 'timestamp'>;
  /** The newest L1 block that this node has derived from. */
  readonly l1Head: { readonly number: bigint };
}

/**
 * The first rule that a sequencer's signed block breaks; undefined when it keeps all. Its time is bounded by the L1 block that
 * it stands on and by the own clock; where L1 or the parent is ahead of the clock, a block may stand still with them.
 */
export function findUnsafeFault(timestamp: bigint, context: UnsafeContext): UnsafeFault | undefined {
  const { now, parent, origin, l1Head } = context;
  if (timestamp < parent.timestamp || timestamp < origin.timestamp) return 'time';
  if (timestamp > origin.timestamp + MAX_TIME_DRIFT_S) return 'time';
  const movesTime = timestamp > parent.timestamp && timestamp > origin.timestamp;
  if (movesTime && timestamp > now + MAX_CLOCK_AHEAD_S) return 'ahead-of-clock';
  return isExpired(origin, l1Head) ? 'expired' : undefined;
}

/** Whether no batch can hold a block of this origin any more: the earliest would be in the L1 block after the head. */
export function isExpired(origin: { readonly number: bigint }, l1Head: { readonly number: bigint }): boolean {
  return origin.number + MAX_ORIGIN_AGE < l1Head.number + 1n;
}
