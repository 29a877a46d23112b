import { hexlify, toQuantity } from 'ethers';
import type { Hex } from '../../protocol/brand.ts';
import { batchBytes } from '../../protocol/rollup/batch-data.ts';
import type { BatchArchive } from './blobs/batch-archive.ts';
import type { DeriveStore } from './derive/derive-store.ts';
import type { BatchTransactions } from './l1/batch-transaction.ts';

export interface BatchSources {
  readonly archive: Pick<BatchArchive, 'batch' | 'find'>;
  readonly store: Pick<DeriveStore, 'cursor' | 'findBatch'>;
  readonly transactionOf: BatchTransactions;
}

/** A batch for users, by nectar_getBatch. `data` is its bytes, of blobs what they encode; with `blobs` they are there whole. */
export async function describeBatch(
  sequenceNumber: bigint,
  sources: BatchSources,
): Promise<Record<string, unknown> | undefined> {
  const { archive, store, transactionOf } = sources;
  // What an L1 reorg took back is still there, and is no batch.
  if (sequenceNumber >= (await store.cursor()).batchCount) return undefined;
  const batch = await archive.batch(sequenceNumber);
  if (batch === undefined) return undefined;
  const { source, dataHash, delayedCount, l1 } = batch;
  const kept = await archive.find(dataHash);
  const bytes = source === 'forced' ? new Uint8Array() : kept && batchBytes(kept);
  return {
    sequenceNumber: toQuantity(sequenceNumber),
    source,
    dataHash,
    delayedCount: toQuantity(delayedCount),
    l1: { number: toQuantity(l1.number), hash: l1.hash, transaction: (await transactionOf(batch)) ?? null },
    blocks: await blocksOf(sequenceNumber, store),
    size: bytes === undefined ? null : toQuantity(bytes.length),
    archived: bytes !== undefined,
    data: bytes === undefined ? null : hexlify(bytes),
    ...(kept?.source === 'blobs' && { versionedHashes: kept.versionedHashes }),
  };
}

/** The newest `count` batches up to `newest`, the newest first, without their data. */
export async function listBatches(
  { newest, count }: { readonly newest: bigint | undefined; readonly count: number },
  sources: BatchSources,
): Promise<readonly Record<string, unknown>[]> {
  const last = (await sources.store.cursor()).batchCount - 1n;
  const listed: Record<string, unknown>[] = [];
  for (let number = newest !== undefined && newest < last ? newest : last; number >= 0n; number -= 1n) {
    const batch = listed.length < count ? await describeBatch(number, sources) : undefined;
    // A node that began with a snapshot has none before it.
    if (batch === undefined) break;
    const { data: _, versionedHashes: __, ...shown } = batch;
    listed.push(shown);
  }
  return listed;
}

/** The L2 blocks that a batch gave; null when it gave none. */
async function blocksOf(
  batch: bigint,
  store: BatchSources['store'],
): Promise<{ readonly first: Hex; readonly last: Hex } | null> {
  const first = await firstBlockFrom(batch, store);
  const last = (await firstBlockFrom(batch + 1n, store)) - 1n;
  return last < first ? null : { first: hexOf(first), last: hexOf(last) };
}

/** The first safe block that this batch or a later one gave, or the block after all: batches give blocks in order. */
async function firstBlockFrom(batch: bigint, store: BatchSources['store']): Promise<bigint> {
  let low = 1n;
  let high = (await store.cursor()).safe.number + 1n;
  while (low < high) {
    const middle = (low + high) / 2n;
    const place = await store.findBatch(middle);
    if (place !== undefined && place.sequenceNumber >= batch) high = middle;
    else low = middle + 1n;
  }
  return low;
}

const hexOf = (number: bigint): Hex => toQuantity(number) as Hex;
