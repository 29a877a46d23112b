import type { Block } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { BlockRef } from '../execute/heads.ts';
import type { ChainView } from './chain-view.ts';

/** What became of the canonical chain: first blocks that left it, from the top down, then blocks that joined it, in order. */
export interface ChainStep {
  readonly removed: readonly Block[];
  readonly added: readonly Block[];
}

/** A place in the chain that follows it through reorganisations: what filters and subscriptions stand on. */
export interface ChainCursor {
  /**
   * Moves on by at most `limit` blocks in each direction. Undefined when what stood here is no longer known (pruned): the
   * cursor cannot go on.
   */
  advance(limit: number): Promise<ChainStep | undefined>;
}

export function createChainCursor(
  start: Pick<BlockRef, 'number' | 'hash'>,
  { view, database }: { readonly view: ChainView; readonly database: Pick<ChainDatabase, 'block' | 'canonicalHash'> },
): ChainCursor {
  let at: { number: bigint; hash: Hex } = { number: start.number, hash: start.hash };

  async function stepBack(limit: number): Promise<Block[] | undefined> {
    const removed: Block[] = [];
    while (removed.length < limit && (await database.canonicalHash(at.number)) !== at.hash) {
      const block = await database.block(at.hash);
      if (block === undefined) return undefined;
      removed.push(block);
      at = { number: at.number - 1n, hash: bytesToHex(block.header.parentHash) };
    }
    return removed;
  }

  async function stepForward(limit: number): Promise<Block[]> {
    const added: Block[] = [];
    while (added.length < limit && at.number < view.latest()) {
      const block = await view.findBlock({ number: at.number + 1n });
      // The chain changed while it was read: the next call goes back first.
      if (block === undefined || bytesToHex(block.header.parentHash) !== at.hash) break;
      added.push(block);
      at = { number: block.header.number, hash: bytesToHex(block.hash()) };
    }
    return added;
  }

  return {
    async advance(limit) {
      const removed = await stepBack(limit);
      if (removed === undefined) return undefined;
      return { removed, added: removed.length === limit ? [] : await stepForward(limit) };
    },
  };
}
