import { hexlify, toQuantity } from 'ethers';
import { batchBytes } from '../../protocol/rollup/batch-data.ts';
import type { BatchArchive } from './blobs/batch-archive.ts';
import type { DeriveStore } from './derive/derive-store.ts';

/** A batch for users, by nectar_getBatch. `data` is its bytes, of blobs what they encode; with `blobs` they are there whole. */
export async function describeBatch(
  sequenceNumber: bigint,
  { archive, store }: { readonly archive: BatchArchive; readonly store: Pick<DeriveStore, 'cursor'> },
): Promise<Record<string, unknown> | undefined> {
  // What an L1 reorg took back is still there, and is no batch.
  if (sequenceNumber >= (await store.cursor()).batchCount) return undefined;
  const batch = await archive.batch(sequenceNumber);
  if (batch === undefined) return undefined;
  const { source, dataHash, delayedCount, l1 } = batch;
  const kept = await archive.find(dataHash);
  const bytes = kept && batchBytes(kept);
  return {
    sequenceNumber: toQuantity(sequenceNumber),
    source,
    dataHash,
    delayedCount: toQuantity(delayedCount),
    l1: { number: toQuantity(l1.number), hash: l1.hash },
    archived: kept !== undefined || source === 'forced',
    data: source === 'forced' ? '0x' : bytes === undefined ? null : hexlify(bytes),
    ...(kept?.source === 'blobs' && { versionedHashes: kept.versionedHashes }),
  };
}
