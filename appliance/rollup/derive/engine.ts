import type { Hex } from '../../../protocol/brand.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';

/** A block of L2 by number and hash; timestamp in seconds. */
export interface BlockRef {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
}

export interface Heads {
  readonly unsafe: BlockRef;
  readonly safe: BlockRef;
  readonly finalized: BlockRef;
}

/** Where a block stands in L1's order: what the block after it is judged by. */
export interface DerivedRef extends BlockRef {
  readonly originNumber: bigint;
  /** Delayed messages that L2 has consumed up to and including this block. */
  readonly messagesRead: bigint;
}

/** A deposit: the delayed message `index`, credited as an EIP-4895 withdrawal. */
export interface Deposit {
  readonly index: bigint;
  readonly to: Hex;
  readonly amountWei: bigint;
}

/** A block of the own chain with the inputs it was made from. */
export interface EngineBlock extends DerivedRef {
  readonly parentHash: Hex;
  readonly input: BatchBlock;
}

/** What derivation consumes of execution: one canonical chain, grown at its head and cut back. */
export interface Engine {
  heads(): Heads;
  /** The block of the canonical chain; undefined past its head. */
  find(number: bigint): Promise<EngineBlock | undefined>;
  /** Executes on the unsafe head and makes the result the new unsafe head. */
  import(input: BatchBlock, deposits: readonly Deposit[]): Promise<BlockRef>;
  /** Drops every block above `number`. */
  rewind(number: bigint): Promise<void>;
  setHeads(heads: { readonly safe: BlockRef; readonly finalized: BlockRef }): Promise<void>;
}

/** Runs one change of the chain at a time: derivation, gossip and the sequencer all grow the same head. */
export type Exclusive = <T>(change: () => Promise<T>) => Promise<T>;

export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const next = last.then(change, change);
    last = next.catch(() => {});
    return next;
  };
}
