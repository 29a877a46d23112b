import type { UnsafeBlocks } from '../p2p/index.ts';
import type { Rollup } from '../rollup/index.ts';

/** What gossip and catch-up see of the chain. */
export function unsafeBlocks(rollup: Rollup): UnsafeBlocks {
  return {
    accept: rollup.acceptUnsafe,
    range: rollup.unsafeRange,
    onUnsafe: rollup.onUnsafe,
    head: () => rollup.heads().unsafe.number,
  };
}
