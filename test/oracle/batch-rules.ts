import { MAX_ORIGIN_AGE, MAX_TIME_DRIFT_S, type OriginRef } from '../../appliance/rollup/derive/batch-rules.ts';
import type { DerivedRef } from '../../appliance/rollup/derive/engine.ts';
import type { BatchBlock } from '../../protocol/rollup/batch.ts';

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
