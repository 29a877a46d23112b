import type { Block } from '@ethereumjs/block';
import type { Hex } from '../../protocol/brand.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import type { ChainEngine } from './chain-engine.ts';

/** The sequencer's blocks that L1 does not have yet: when L1 takes some back, their transactions are not lost. */
export interface OwnBlocks {
  add(block: Block): void;
  /** Transactions of blocks that are no longer in the chain; each is returned once. */
  takeDiscarded(): Promise<readonly Uint8Array[]>;
}

interface OwnBlock {
  readonly number: bigint;
  readonly hash: Hex;
  readonly transactions: readonly Uint8Array[];
}

/** Resumes from the database: `onResumed` gets every block above the safe head, which a crash may have left unannounced. */
export async function createOwnBlocks(
  engine: ChainEngine,
  onResumed: (block: Block) => Promise<void>,
): Promise<OwnBlocks> {
  let recent: OwnBlock[] = [];
  const { safe, unsafe } = engine.heads();
  for (let number = safe.number + 1n; number <= unsafe.number; number += 1n) {
    const block = await engine.blockAt(number);
    if (block === undefined) break;
    await onResumed(block);
    recent.push(toOwn(block));
  }

  return {
    add(block) {
      recent.push(toOwn(block));
    },
    async takeDiscarded() {
      const last = recent.at(-1);
      const heads = engine.heads();
      if (last === undefined || last.hash === heads.unsafe.hash) {
        // Below the finalized head nothing is taken back.
        const first = recent[0];
        if (first !== undefined && first.number < heads.finalized.number) {
          recent = recent.filter(({ number }) => number >= heads.finalized.number);
        }
        return [];
      }
      const kept: OwnBlock[] = [];
      const discarded: OwnBlock[] = [];
      for (const block of recent) {
        ((await engine.hashOf(block.number)) === block.hash ? kept : discarded).push(block);
      }
      recent = kept;
      return discarded.flatMap(({ transactions }) => transactions);
    },
  };
}

function toOwn(block: Block): OwnBlock {
  const transactions = block.transactions.map((tx) => tx.serialize());
  return { number: block.header.number, hash: bytesToHex(block.hash()), transactions };
}
