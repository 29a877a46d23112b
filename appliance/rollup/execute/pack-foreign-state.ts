import { createHash } from 'node:crypto';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { createDatabaseKeys } from './database-keys.ts';
import { encodeFresh, packPreimages } from './packed-preimages.ts';
import type { SealedOperation } from './sealed-level.ts';
import type { Sealer } from './sealer.ts';

/** Packs state that no block of this node made: a snapshot's. Parts of one serial number take each other's place. */
export type PackForeignState = (preimages: ReadonlyMap<Hex, Uint8Array>, serial: number) => SealedOperation[];

export function createForeignStatePacker(databaseKey: Uint8Array, sealer: Sealer): PackForeignState {
  const keys = createDatabaseKeys(databaseKey);
  return (preimages, serial) => {
    const fresh = encodeFresh(Array.from(preimages, ([hash, bytes]) => [hexToBytes(hash), bytes] as const));
    const hash = createHash('sha256').update(`nectar rollup snapshot ${serial}`).digest();
    return packPreimages({ number: 0n, hash }, fresh, { keys, sealer });
  };
}
