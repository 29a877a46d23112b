import type { Hex } from '../../../protocol/brand.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import type { DerivedRef } from './engine.ts';

/**
 * Seconds by which a block's time may run ahead of its L1 origin's. The bound is on the origin, not on the inclusion block,
 * so that a follower can judge an unsafe block before it is posted. Part of the protocol, as are the other limits here.
 */
export const MAX_TIME_DRIFT_S = 1_800n;

/** An EIP-4895 list of this length still encodes in about 50 KiB. */
export const MAX_DEPOSITS_PER_BLOCK = 256;

export interface OriginRef {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
}

/** What of L1 decides over a block. `origin` is the canonical L1 block at the number that the block names. */
export interface BlockContext {
  readonly parent: DerivedRef;
  readonly origin: OriginRef | undefined;
  /** Messages that Inbox had taken up to and including the origin. */
  readonly messagesAtOrigin: bigint;
  /** Messages that the batch's `afterDelayedMessages` allows. */
  readonly messagesAllowed: bigint;
}

export type BlockFault = 'origin' | 'origin-backwards' | 'timestamp' | 'messages';

/**
 * The first rule that a batch's block breaks; undefined when it keeps all. A block that breaks one is dropped with the rest
 * of its batch, by everybody alike:
 * - the origin is a canonical L1 block, not before the parent's, not after the batch's own L1 block;
 * - max(parent's, origin's) <= timestamp <= origin's + MAX_TIME_DRIFT_S (always satisfiable, since origins move forward);
 * - it consumes only messages that Inbox took by its origin and that the batch was allowed to read.
 */
export function findBlockFault(block: BatchBlock, context: BlockContext): BlockFault | undefined {
  const { parent, origin } = context;
  if (origin === undefined || origin.number !== block.l1Origin.number || origin.hash !== block.l1Origin.hash) {
    return 'origin';
  }
  if (origin.number < parent.originNumber) return 'origin-backwards';
  const tooEarly = block.timestamp < parent.timestamp || block.timestamp < origin.timestamp;
  if (tooEarly || block.timestamp > origin.timestamp + MAX_TIME_DRIFT_S) return 'timestamp';
  const read = parent.messagesRead + BigInt(block.delayedMessages);
  const tooMany = block.delayedMessages > MAX_DEPOSITS_PER_BLOCK;
  if (tooMany || read > context.messagesAtOrigin || read > context.messagesAllowed) return 'messages';
  return undefined;
}

/** A timestamp for the next block that keeps the rule: the clock where the rule allows it, else the nearest bound. */
export function clampTimestamp(nowS: bigint, parent: { readonly timestamp: bigint }, origin: OriginRef): bigint {
  const atLeast = (value: bigint, bound: bigint): bigint => (value < bound ? bound : value);
  const most = origin.timestamp + MAX_TIME_DRIFT_S;
  const capped = nowS < most ? nowS : most;
  return atLeast(atLeast(capped, origin.timestamp), parent.timestamp);
}
