import type { DeriveStore } from './derive-store.ts';
import type { Engine } from './engine.ts';
import { isExpired, MAX_ORIGIN_AHEAD } from './unsafe-rules.ts';

export interface OriginCheck {
  /** Every unsafe block's origin is known and canonical. */
  readonly settled: boolean;
  readonly discarded: number;
}

/**
 * Gives up unsafe blocks that L1 has not confirmed in time: no batch can hold them any more, so what follows from them will
 * never be. Origins never go back, so the first block decides. Resolves with how many were discarded.
 */
export async function expireUnsafe(store: DeriveStore, engine: Engine): Promise<number> {
  const { safe, unsafe } = engine.heads();
  const oldest = await engine.originOf(safe.number + 1n);
  const origin = oldest && (await store.find(oldest.number));
  if (origin === undefined || !isExpired(origin, await store.cursor())) return 0;
  await engine.rewind(safe.number);
  return Number(unsafe.number - safe.number);
}

/**
 * Drops the unsafe blocks whose L1 origin is no longer canonical: no batch with them could ever be valid. Blocks whose origin
 * lies a little past the cursor are left until L1 gets there.
 */
export async function discardOrphanedUnsafe(store: DeriveStore, engine: Engine): Promise<OriginCheck> {
  const { number: known, safe } = await store.cursor();
  const { unsafe } = engine.heads();
  for (let number = safe.number + 1n; number <= unsafe.number; number += 1n) {
    const origin = await engine.originOf(number);
    if (origin === undefined) break;
    if (origin.number > known && origin.number <= known + MAX_ORIGIN_AHEAD) return { settled: false, discarded: 0 };
    if ((await store.find(origin.number))?.hash === origin.hash) continue;
    await engine.rewind(number - 1n);
    return { settled: true, discarded: Number(unsafe.number - number + 1n) };
  }
  return { settled: true, discarded: 0 };
}
