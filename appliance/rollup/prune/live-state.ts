import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { PruneRun } from '../execute/state-places.ts';
import { isEmptyPart, partsBelow, type StatePart } from '../snapshot/state-walk.ts';

interface Visit {
  readonly part: StatePart;
  /** There once everything below it has been given. */
  readonly bytes?: Uint8Array;
}

/**
 * Every part of a state that a run has not moved yet, children before parents: a part that was moved has everything below it moved or
 * newer, so a run that was broken off goes on where it was. Throws ROLLUP_STATE_MISSING.
 */
export async function* liveState(
  root: Hex,
  run: PruneRun,
  database: Pick<ChainDatabase, 'get' | 'places'>,
): AsyncGenerator<readonly [Hex, Uint8Array]> {
  const stack: Visit[] = [{ part: { kind: 'account', hash: root } }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { part, bytes } = visit;
    if (bytes !== undefined) {
      yield [part.hash, bytes];
      continue;
    }
    if (isEmptyPart(part)) continue;
    const age = await database.places.ageOf(part.hash, run);
    if (age === 'moved') continue;
    const read = await database.get(part.hash);
    if (age === undefined || read === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash: part.hash });
    stack.push({ part, bytes: read });
    for (const below of partsBelow(part, read).reverse()) stack.push({ part: below });
  }
}
