import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import type { DeriveState } from '../validator/derived-state.ts';
import type { DisputedChain } from './truth.ts';

/** A place in L1's batches. */
type Place = Pick<GlobalState, 'batch' | 'offset'>;

/** How many blocks of a batch L2 has. */
type BlocksOf = (batch: bigint) => Promise<bigint>;

/**
 * G after so many iterations. An iteration is one block; the last of a batch leads to the next batch, a batch without a good block
 * is one iteration, and at the target nothing moves any more.
 */
export function createStatesAfter(
  derive: DeriveState,
  notDerived: (place: Place) => Error,
): DisputedChain['statesAfter'] {
  async function stateAt(place: Place): Promise<GlobalState> {
    const state = await derive(place);
    if (state === undefined || state === 'no such state') throw notDerived(place);
    const { blockHash, sendRoot } = state;
    return { blockHash, sendRoot, ...place };
  }

  async function blocksOf(batch: bigint): Promise<bigint> {
    const [before, after] = [await derive({ batch, offset: 0n }), await derive({ batch: batch + 1n, offset: 0n })];
    if (typeof before !== 'object' || typeof after !== 'object') throw notDerived({ batch, offset: 0n });
    return after.block - before.block;
  }

  return async (from, target, counts) => {
    const places = await placesAfter(blocksOf, { from, target }, counts);
    const states: GlobalState[] = [];
    for (const [index, place] of places.entries()) {
      const same = index > 0 && isSame(place, places[index - 1]) ? states[index - 1] : undefined;
      states.push(same ?? (await stateAt(place)));
    }
    return states;
  };
}

/** The places after so many iterations each; the counts ascend. */
async function placesAfter(
  blocksOf: BlocksOf,
  { from, target }: { readonly from: Place; readonly target: bigint },
  counts: readonly bigint[],
): Promise<readonly Place[]> {
  let place: Place = { batch: from.batch, offset: from.offset };
  let done = 0n;
  const places: Place[] = [];
  for (const count of counts) {
    while (place.batch < target) {
      const left = (await blocksOf(place.batch)) - place.offset;
      const needed = left > 0n ? left : 1n;
      if (done + needed > count) break;
      place = { batch: place.batch + 1n, offset: 0n };
      done += needed;
    }
    if (place.batch < target) {
      place = { batch: place.batch, offset: place.offset + (count - done) };
      done = count;
    }
    places.push(place);
  }
  return places;
}

function isSame(a: Place, b: Place | undefined): boolean {
  return a.batch === b?.batch && a.offset === b.offset;
}
