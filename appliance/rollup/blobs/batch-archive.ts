import type { Hex } from '../../../protocol/brand.ts';
import { type BatchData, encodeBatchData, parseBatchData } from '../../../protocol/rollup/batch-data.ts';
import type { Engine } from '../derive/engine.ts';

/** A batch that was derived: where L1 has it, and what it was. */
export interface DerivedBatch {
  readonly sequenceNumber: bigint;
  readonly dataHash: Hex;
  readonly delayedCount: bigint;
  readonly source: 'calldata' | 'blobs' | 'forced';
  readonly l1: { readonly number: bigint; readonly hash: Hex };
}

/** Records of the chain database, written in one step with what derivation made of them. */
export type ArchiveRecords = ReadonlyMap<string, Uint8Array | undefined>;

/**
 * The data of the batches that this node derived, sealed, by their dataHash: an L1 reorg that takes a batch back and brings it again
 * finds it. L1 forgets blobs within weeks; who derives later asks its peers, which have this.
 */
export interface BatchArchive {
  find(dataHash: Hex): Promise<BatchData | undefined>;
  /** The same, encoded. */
  encoded(dataHash: Hex): Promise<Uint8Array | undefined>;
  /** The batch of this number, whether its data is still kept or not; undefined when none was derived. */
  batch(sequenceNumber: bigint): Promise<DerivedBatch | undefined>;
  /** What to write to keep these, and to forget what is beyond the limits. */
  keep(batches: readonly { batch: DerivedBatch; data: BatchData | undefined }[]): Promise<ArchiveRecords>;
  size(): Promise<ArchiveSize>;
}

export interface ArchiveSize {
  readonly batches: number;
  readonly bytes: number;
}

export interface ArchiveLimits {
  readonly maxBytes: number;
  /** Batches that L1 took longer ago than so many of its blocks are forgotten; 0: never. */
  readonly maxL1Blocks: number;
}

interface Meta {
  /** Of the entries in order of arrival: the oldest one kept, and the next one. */
  readonly first: number;
  readonly next: number;
  readonly bytes: number;
}

interface Entry {
  readonly dataHash: Hex;
  readonly bytes: number;
  readonly l1: number;
}

const META = 'archive/meta';
/** Forgotten at a time: after the limit was lowered it takes several batches to get there. */
const MAX_FORGOTTEN = 64;

export function createBatchArchive(limits: ArchiveLimits, db: Pick<Engine, 'record' | 'putRecords'>): BatchArchive {
  async function readJson<T>(key: string): Promise<T | undefined> {
    const bytes = await db.record(key);
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  const readMeta = async (): Promise<Meta> => (await readJson<Meta>(META)) ?? { first: 0, next: 0, bytes: 0 };

  async function forget(records: Map<string, Uint8Array | undefined>, meta: Meta, l1: number): Promise<Meta> {
    let { first, bytes } = meta;
    const isTooOld = (entry: Entry): boolean => limits.maxL1Blocks > 0 && entry.l1 + limits.maxL1Blocks < l1;
    for (let count = 0; count < MAX_FORGOTTEN && first < meta.next; count += 1) {
      const fresh = records.get(entryKey(first));
      const entry = fresh === undefined ? await readJson<Entry>(entryKey(first)) : parseEntry(fresh);
      if (entry !== undefined && bytes <= limits.maxBytes && !isTooOld(entry)) break;
      if (entry !== undefined) records.set(dataKey(entry.dataHash), undefined);
      records.set(entryKey(first), undefined);
      bytes -= entry?.bytes ?? 0;
      first += 1;
    }
    return { ...meta, first, bytes };
  }

  return {
    async find(dataHash) {
      const encoded = await db.record(dataKey(dataHash));
      return encoded === undefined ? undefined : parseBatchData(encoded);
    },
    encoded: (dataHash) => db.record(dataKey(dataHash)),
    async batch(sequenceNumber) {
      const told = await readJson<ToldBatch>(batchKey(sequenceNumber));
      return told && { ...told, sequenceNumber, delayedCount: BigInt(told.delayedCount), l1: l1Of(told.l1) };
    },
    async keep(batches) {
      const records = new Map<string, Uint8Array | undefined>();
      if (batches.length === 0) return records;
      let meta = await readMeta();
      for (const { batch, data } of batches) {
        const { dataHash, source, delayedCount, l1 } = batch;
        const told: ToldBatch = { dataHash, source, delayedCount: String(delayedCount), l1: tellL1(l1) };
        records.set(batchKey(batch.sequenceNumber), encodeJson(told));
        const encoded = data && encodeBatchData(data);
        if (encoded === undefined || encoded.length > limits.maxBytes) continue;
        if (records.has(dataKey(dataHash)) || (await db.record(dataKey(dataHash))) !== undefined) continue;
        const entry: Entry = { dataHash, bytes: encoded.length, l1: Number(l1.number) };
        records.set(dataKey(dataHash), encoded);
        records.set(entryKey(meta.next), encodeJson(entry));
        meta = { ...meta, next: meta.next + 1, bytes: meta.bytes + encoded.length };
      }
      meta = await forget(records, meta, Number(batches.at(-1)?.batch.l1.number ?? 0n));
      return records.set(META, encodeJson(meta));
    },
    async size() {
      const { first, next, bytes } = await readMeta();
      return { batches: next - first, bytes };
    },
  };
}

interface ToldBatch extends Pick<DerivedBatch, 'dataHash' | 'source'> {
  readonly delayedCount: string;
  readonly l1: { readonly number: string; readonly hash: Hex };
}

function tellL1({ number, hash }: DerivedBatch['l1']): ToldBatch['l1'] {
  return { number: String(number), hash };
}

function l1Of({ number, hash }: ToldBatch['l1']): DerivedBatch['l1'] {
  return { number: BigInt(number), hash };
}

function parseEntry(bytes: Uint8Array): Entry {
  return JSON.parse(new TextDecoder().decode(bytes)) as Entry;
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function dataKey(dataHash: Hex): string {
  return `archive/data/${dataHash}`;
}

function entryKey(index: number): string {
  return `archive/entry/${index}`;
}

function batchKey(sequenceNumber: bigint): string {
  return `archive/batch/${sequenceNumber}`;
}
