import type { Hex } from '../../../protocol/brand.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import type { DerivedRef } from './engine.ts';

/**
 * Seconds by which a block's time may run ahead of its L1 origin's. The bound is on the origin, not on the inclusion block,
 * so that a follower can judge an unsafe block before it is posted. Part of the protocol, as are the other limits here.
 */
export const MAX_TIME_DRIFT_S = 1_800n;

/** L1 blocks by which an origin may be older than the block of its batch: a day. Part of the protocol: it bounds what a proof walks. */
export const MAX_ORIGIN_AGE = 7_200n;

export interface OriginRef {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
}

/** What of L1 decides over a block. */
export interface BlockContext {
  readonly parent: DerivedRef;
  /** The canonical L1 block at the number that the block names, if it is known. */
  readonly origin: OriginRef | undefined;
  /** Number of the L1 block that took the batch. */
  readonly postedIn: bigint;
  /** Messages that L2 will have read after the batch. */
  readonly delayedCount: bigint;
  /** Messages that the block may consume from the parent on, by their kinds (`consumable`). */
  readonly consumable: number;
}

export type BlockFault = 'origin' | 'origin-backwards' | 'origin-too-old' | 'timestamp' | 'messages';

/**
 * The first rule that a batch's block breaks; undefined when it keeps all. A block that breaks one is dropped with the rest
 * of its batch, by everybody alike (docs/design/0013-derivation.md):
 * - the origin is not before the parent's, at most MAX_ORIGIN_AGE older than the batch's L1 block, and an ancestor of it: in this
 *   order, so that a proof that walks back to the origin never walks farther than that;
 * - max(parent's, origin's) <= timestamp <= origin's + MAX_TIME_DRIFT_S (always satisfiable, since origins move forward);
 * - it consumes no more messages than the batch names, and than fit into a block.
 */
export function findBlockFault(block: BatchBlock, context: BlockContext): BlockFault | undefined {
  const { parent, origin } = context;
  const { number } = block.l1Origin;
  if (number < parent.originNumber) return 'origin-backwards';
  if (number + MAX_ORIGIN_AGE < context.postedIn) return 'origin-too-old';
  const isAncestor = origin !== undefined && number < context.postedIn && origin.number === number;
  if (!isAncestor || origin.hash !== block.l1Origin.hash) return 'origin';
  const tooEarly = block.timestamp < parent.timestamp || block.timestamp < origin.timestamp;
  if (tooEarly || block.timestamp > origin.timestamp + MAX_TIME_DRIFT_S) return 'timestamp';
  const read = parent.messagesRead + BigInt(block.delayedMessages);
  if (read > context.delayedCount || block.delayedMessages > context.consumable) return 'messages';
  return undefined;
}

/** The earliest timestamp that a block on this parent and this origin may have. */
export function earliestTimestamp(
  parent: { readonly timestamp: bigint },
  origin: { readonly timestamp: bigint },
): bigint {
  return atLeast(parent.timestamp, origin.timestamp);
}

function atLeast(value: bigint, bound: bigint): bigint {
  return value < bound ? bound : value;
}

/** A timestamp for the next block that keeps the rule: the clock where the rule allows it, else the nearest bound. */
export function clampTimestamp(nowS: bigint, parent: { readonly timestamp: bigint }, origin: OriginRef): bigint {
  const most = origin.timestamp + MAX_TIME_DRIFT_S;
  const capped = nowS < most ? nowS : most;
  return atLeast(capped, earliestTimestamp(parent, origin));
}
