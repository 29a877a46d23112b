import type { Hex } from '../../../protocol/brand.ts';
import { type ErrorCode, NectarError } from '../../../protocol/errors.ts';
import type { SignedTransaction } from '../../../protocol/rollup/transaction.ts';

/** What building consumes of the chain. */
export interface BlockMaker {
  /** Builds and publishes a block of these transactions; undefined while L1 is behind the head. */
  produce(transactions: readonly SignedTransaction[]): Promise<BuiltBlock | undefined>;
}

export interface BuiltBlock {
  readonly number: bigint;
  readonly included: readonly Hex[];
}

export interface Eviction {
  readonly transaction: SignedTransaction;
  readonly cause: unknown;
}

/** The disk, the database, a stop: no transaction brings them about, and without them the same block is built. */
const OWN_TROUBLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NODE_DISK_FULL',
  'NODE_NOT_READY',
  'ROLLUP_DATABASE_FAILED',
  'ROLLUP_DATABASE_INVALID',
]);

/**
 * Builds a block of `transactions`. When that fails for no reason of the machine's own, halves them until the one that makes it
 * fail is alone, and evicts it: no transaction may stop the chain. Resolves with the block that was built on the way; throws
 * when not even an empty one can be built, for then the fault is elsewhere.
 */
export async function buildAround(
  maker: BlockMaker,
  transactions: readonly SignedTransaction[],
  onEvicted: (eviction: Eviction) => void,
): Promise<BuiltBlock | undefined> {
  try {
    return await maker.produce(transactions);
  } catch (error) {
    const [first] = transactions;
    if (isOwnTrouble(error) || first === undefined) throw error;
    if (transactions.length > 1) {
      return buildAround(maker, transactions.slice(0, Math.ceil(transactions.length / 2)), onEvicted);
    }
    const block = await maker.produce([]);
    if (block !== undefined) onEvicted({ transaction: first, cause: error });
    return block;
  }
}

function isOwnTrouble(error: unknown): boolean {
  return error instanceof NectarError && OWN_TROUBLE.has(error.code);
}
