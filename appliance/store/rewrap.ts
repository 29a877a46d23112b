import type { RecordId } from '../../protocol/brand.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, encodeEntry, storedDek, type VersionEntry, wrappedDek } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';

/** Entries under way at a time: they share fsyncs. */
const CONCURRENCY = 64;

/** Wraps every DEK with the current KEK; touches no blob. Run again after a crash it goes on: what is current stays. */
export async function rewrapAll(core: StoreCore, onProgress: (done: number) => void): Promise<{ rewrapped: number }> {
  // Puts that took the old KEK just before it was rotated are in the queue already: behind them, none comes any more.
  await core.db.commit([]);
  let rewrapped = 0;
  let batch: Promise<boolean>[] = [];
  const settle = async (): Promise<void> => {
    rewrapped += (await Promise.all(batch)).filter(Boolean).length;
    batch = [];
    onProgress(rewrapped);
  };
  for await (const { value } of core.db.range(kindRange(KIND.version))) {
    core.signal.throwIfAborted();
    const { recordId, version } = decodeEntry<VersionEntry>(value);
    batch.push(rewrapOne(core, recordId, version));
    if (batch.length >= CONCURRENCY) await settle();
  }
  await settle();
  // Old wrappings leave the files, so that a KEK that is later retired has nothing left to open.
  if (rewrapped > 0) await core.db.compact(kindRange(KIND.version));
  return { rewrapped };
}

function rewrapOne(core: StoreCore, recordId: RecordId, version: number): Promise<boolean> {
  return core.locks.run(recordId, async () => {
    const key = core.keys.version(recordId, version);
    const entry = await findEntry<VersionEntry>(core, key);
    if (entry === undefined) return false;
    const wrapped = core.deps.keys.rewrapDek(wrappedDek(entry), { recordId, version });
    if (wrapped.kekId === entry.dek.kekId) return false;
    await core.db.commit([
      { type: 'put', key, value: encodeEntry({ ...entry, dek: storedDek(wrapped, entry.dek.since) }) },
    ]);
    return true;
  });
}
