import type { Hex } from '../../../protocol/brand.ts';
import type { BlockInput } from '../../../protocol/rollup/block-input.ts';

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

export interface AppendedSafe {
  readonly ref: BlockRef;
  /** The unsafe chain differed and was discarded from this block on. */
  readonly replaced: boolean;
  /** Transactions of the input that the block does not hold, by their place in it. */
  readonly dropped: readonly { readonly index: number; readonly obstacle: string }[];
}

/** What derivation consumes of execution: one chain, its heads, and named values kept beside them. */
export interface Engine {
  heads(): Heads;
  /** The L1 origin of a block of the own chain; undefined past its head. */
  originOf(number: bigint): Promise<{ readonly number: bigint; readonly hash: Hex } | undefined>;
  hashOf(number: bigint): Promise<Hex | undefined>;
  /** RLP of the header of a block of the own chain. Throws ROLLUP_STATE_MISSING. */
  header(hash: Hex): Promise<Uint8Array>;
  /**
   * Makes the block after the safe head safe. An unsafe block made from the same input is promoted unexecuted; one that
   * differs is discarded with all after it: L1 decides.
   */
  appendSafe(input: BlockInput): Promise<AppendedSafe>;
  /** Moves the safe head back or the finalized head; the unsafe chain stays. */
  setHeads(heads: { readonly safe?: bigint; readonly finalized?: bigint }): Promise<void>;
  /** Discards every block above `number`. */
  rewind(number: bigint): Promise<void>;
  record(name: string): Promise<Uint8Array | undefined>;
  /** All or none, on disk. */
  putRecords(records: ReadonlyMap<string, Uint8Array | undefined>): Promise<void>;
}
