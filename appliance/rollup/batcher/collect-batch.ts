import { NectarError } from '../../../protocol/errors.ts';
import { BATCH_LIMITS, type BatchBlock, encodeBatch } from '../../../protocol/rollup/batch.ts';

/** A batch ready to be posted. */
export interface CollectedBatch {
  readonly data: Uint8Array;
  readonly first: bigint;
  readonly last: bigint;
  readonly delayedMessages: bigint;
  /** Nothing happened in any of its blocks: they only let time move on. */
  readonly isIdle: boolean;
}

export interface CollectRange {
  /** The first block that is not on L1 yet. */
  readonly from: bigint;
  readonly to: bigint;
  readonly maxBytes: number;
}

/**
 * The longest run of blocks from `from` whose batch fits. Doubles while it fits, then halves the step: compression makes size
 * grow unevenly, but never by less than nothing.
 */
export async function collectBatch(
  range: CollectRange,
  read: (number: bigint) => Promise<BatchBlock>,
): Promise<CollectedBatch> {
  const blocks: BatchBlock[] = [];
  const fetchTo = async (count: number): Promise<void> => {
    while (blocks.length < count) blocks.push(await read(range.from + BigInt(blocks.length)));
  };
  const most = Math.min(Number(range.to - range.from) + 1, BATCH_LIMITS.maxBlocks);
  let best: { count: number; data: Uint8Array } | undefined;
  for (let step = 1, growing = true; step >= 1; step = growing ? step * 2 : Math.floor(step / 2)) {
    const count = Math.min((best?.count ?? 0) + step, most);
    if (count === best?.count) break;
    await fetchTo(count);
    const data = isWithinLimits(blocks.slice(0, count)) ? encodeBatch(blocks.slice(0, count)) : undefined;
    if (data !== undefined && data.length <= range.maxBytes) best = { count, data };
    else if (count === 1) throw tooLarge(range.from, data);
    else growing = false;
  }
  if (best === undefined) throw tooLarge(range.from, undefined);
  const taken = blocks.slice(0, best.count);
  return {
    isIdle: taken.every((block) => block.transactions.length === 0 && block.delayedMessages === 0),
    data: best.data,
    first: range.from,
    last: range.from + BigInt(best.count - 1),
    delayedMessages: taken.reduce((sum, block) => sum + BigInt(block.delayedMessages), 0n),
  };
}

/** What a decoder would refuse must not be posted: it would count as an empty batch. */
function isWithinLimits(blocks: readonly BatchBlock[]): boolean {
  const transactions = blocks.flatMap((block) => block.transactions);
  const bytes = transactions.reduce((sum, raw) => sum + raw.length, 0);
  // Columns hold a transaction in fewer bytes than its RLP, give or take its lengths; half the limit leaves room for both.
  return transactions.length <= BATCH_LIMITS.maxTransactions && bytes <= BATCH_LIMITS.maxInflatedBytes / 2;
}

function tooLarge(number: bigint, data: Uint8Array | undefined): NectarError<'ROLLUP_BATCHER_BLOCK_TOO_LARGE'> {
  return new NectarError('ROLLUP_BATCHER_BLOCK_TOO_LARGE', { number, bytes: data?.length ?? 0 });
}
