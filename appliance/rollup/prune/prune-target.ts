import type { BlockRef } from '../execute/heads.ts';

export interface PruneBounds {
  /** The first block whose state is here. */
  readonly floor: bigint;
  readonly finalized: Pick<BlockRef, 'number' | 'timestamp'>;
  /** The block of the newest confirmed assertion. */
  readonly confirmed: bigint;
  /** State of the last so many seconds before the finalized block stays. */
  readonly windowSeconds: bigint;
}

/**
 * The newest block that is final, confirmed and old enough; undefined while pruning to it is not worth the work: what stays is
 * moved, however little has become old, so half a window at least is waited for. `timeOf` gives a block's timestamp in seconds.
 */
export async function findPruneTarget(
  { floor, finalized, confirmed, windowSeconds }: PruneBounds,
  timeOf: (number: bigint) => Promise<bigint | undefined>,
): Promise<bigint | undefined> {
  const oldest = await timeOf(floor);
  const limit = finalized.timestamp - windowSeconds;
  if (oldest === undefined || limit - oldest < windowSeconds / 2n) return undefined;
  let low = floor;
  let high = finalized.number;
  if (confirmed < high) high = confirmed;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const time = await timeOf(middle);
    if (time !== undefined && time <= limit) low = middle;
    else high = middle - 1n;
  }
  return low > floor ? low : undefined;
}
