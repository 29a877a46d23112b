import type { DeriveStore } from './derive-store.ts';
import type { Engine } from './engine.ts';

export interface OriginCheck {
  /** Every unsafe block's origin is known and canonical. */
  readonly settled: boolean;
  readonly discarded: number;
}

/**
 * Drops the unsafe blocks whose L1 origin is no longer canonical: no batch with them could ever be valid. Blocks whose origin
 * lies past the cursor are left until L1 gets there.
 */
export async function discardOrphanedUnsafe(store: DeriveStore, engine: Engine): Promise<OriginCheck> {
  const { number: known, safe } = await store.cursor();
  const { unsafe } = engine.heads();
  for (let number = safe.number + 1n; number <= unsafe.number; number += 1n) {
    const origin = await engine.originOf(number);
    if (origin === undefined) break;
    if (origin.number > known) return { settled: false, discarded: 0 };
    if ((await store.find(origin.number))?.hash === origin.hash) continue;
    await engine.rewind(number - 1n);
    return { settled: true, discarded: Number(unsafe.number - number + 1n) };
  }
  return { settled: true, discarded: 0 };
}
