import type { Hex } from '../../../protocol/brand.ts';
import type { BatchPlace, DeriveStore } from '../derive/derive-store.ts';
import type { Engine } from '../derive/engine.ts';
import type { GlobalState } from './assertion.ts';

/** A state of the own chain, and the L2 block that it follows. */
export interface DerivedState extends GlobalState {
  readonly block: bigint;
}

export interface DerivedStateDeps {
  readonly store: Pick<DeriveStore, 'cursor' | 'findBatch' | 'firstBatch'>;
  readonly engine: Pick<Engine, 'hashOf'>;
  /** Slot 0 of the Messenger in the state of an L2 block. */
  readonly sendRootAt: (block: bigint) => Promise<Hex>;
}

/**
 * What this node's own derivation makes of a point of L1's batches; undefined while it has not derived that far, and for ever where
 * its history begins later: a node that began with a snapshot has no word on what lies before.
 */
export type DeriveState = (
  at: Pick<GlobalState, 'batch' | 'offset'>,
) => Promise<DerivedState | 'no such state' | undefined>;

export function createDerivedState({ store, engine, sendRootAt }: DerivedStateDeps): DeriveState {
  /** The last block of the batches before `batch`; batches are in the order of blocks, so halving finds it. */
  async function lastBlockBefore(batch: bigint, safe: bigint): Promise<bigint> {
    let [low, high] = [0n, safe];
    while (low < high) {
      const middle = (low + high + 1n) / 2n;
      if (isBefore(await store.findBatch(middle), batch)) low = middle;
      else high = middle - 1n;
    }
    return low;
  }

  return async ({ batch, offset }) => {
    const { batchCount, safe } = await store.cursor();
    if (batchCount < batch || (offset > 0n && batchCount < batch + 1n)) return undefined;
    if (batch < (await store.firstBatch())) return undefined;
    const block = (await lastBlockBefore(batch, safe.number)) + offset;
    if (offset > 0n && (await store.findBatch(block))?.sequenceNumber !== batch) return 'no such state';
    const blockHash = await engine.hashOf(block);
    if (blockHash === undefined) return undefined;
    return { block, blockHash, sendRoot: await sendRootAt(block), batch, offset };
  };
}

/** A block of no known batch is older than what this node has derived itself: the genesis, or that of a snapshot. */
function isBefore(place: BatchPlace | undefined, batch: bigint): boolean {
  return place === undefined || place.sequenceNumber < batch;
}
