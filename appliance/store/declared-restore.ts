import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { encodeEntry, type LostEntry, type RestoredEntry } from './entries.ts';
import { type IndexOp, openIndexDb } from './index-db.ts';
import { createIndexKeys } from './index-keys.ts';
import type { FileGenerations } from './needs.ts';

/** Entries of lost records written together. */
const LOST_BATCH = 1_000;

export interface DeclareRestored {
  /** Of the index of a store that does not run. */
  readonly folder: string;
  readonly indexKey: Uint8Array;
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Writes into a restored index that it is one. Its log was copied a moment after it, so it tells of more; this is what the next start
 * takes instead of an operator's word. Sealed as every entry: whoever merely puts an older index back has no key to make it with.
 */
export async function declareRestored(
  options: DeclareRestored,
  entry: Omit<RestoredEntry, 'v' | 'generation'>,
): Promise<void> {
  const { folder, indexKey, crypto, randomBytes } = options;
  const keys = createIndexKeys(crypto, indexKey);
  const db = await openIndexDb({ folder, valueKey: keys.valueKey, crypto, randomBytes, statsKey: keys.stats });
  try {
    const restored: RestoredEntry = { v: 1, generation: db.stats().generation + 1, ...entry };
    await db.commit([{ type: 'put', key: keys.restored, value: encodeEntry(restored) }]);
  } finally {
    await db.close();
  }
}

/**
 * The restore that this index declares, if it is still the one that is due: as long as no leaf behind the restored log makes,
 * changes or destroys a record. A copy of the index that is put back after the node has worked is an older index like any other.
 */
export async function dueRestore(
  core: StoreCore,
  { size, lastWrite }: { readonly size: number; readonly lastWrite: number },
): Promise<RestoredEntry | undefined> {
  const entry = await findEntry<RestoredEntry>(core, core.keys.restored).catch(() => undefined);
  if (entry === undefined || core.db.stats().generation < entry.generation) return undefined;
  return lastWrite < entry.leaves && entry.leaves <= size ? entry : undefined;
}

/**
 * Takes a restored index for what it is. Records that the log tells of and the backup does not have stay named as lost; of one that is
 * there, the newest version of the backup is the newest. The leaf comes first: a crash before the commit makes it a second time.
 */
export async function acceptRestored(
  core: StoreCore,
  restored: RestoredEntry,
  found: { readonly lost: readonly LostEntry[]; readonly deletions: number; readonly latest: FileGenerations },
): Promise<void> {
  const lost = found.lost.filter(({ auditLeaf }) => auditLeaf >= restored.known);
  await nameLost(core, lost, 'gone');
  const { generation } = core.db.stats();
  const logged = found.latest.index ?? 0;
  const { backupCreatedAt, manifestSha256 } = restored;
  const told = {
    generation,
    logged,
    missing: lost.length,
    deletions: found.deletions,
    backupCreatedAt,
    manifestSha256,
  };
  const detail = { state: 'restored', ...told };
  await core.trail.append({ type: 'store.index', outcome: 'success', context: systemContext('start'), detail });
  await core.db.commit([
    { type: 'del', key: core.keys.restored },
    { type: 'del', key: core.keys.condition },
    { type: 'set', stats: { generation: logged } },
  ]);
  core.index.restored = { backupCreatedAt, missing: lost.length };
  core.deps.log.warn(told, 'restored from a backup: what came after it is named as lost');
}

/** @param which of the records: all, or only those of which nothing is left */
export async function nameLost(core: StoreCore, lost: Iterable<LostEntry>, which: 'all' | 'gone'): Promise<void> {
  let ops: IndexOp[] = [];
  for (const entry of lost) {
    if (which === 'gone' && (await core.db.get(core.keys.head(entry.recordId))) !== undefined) continue;
    ops.push({ type: 'put', key: core.keys.lost(entry.recordId), value: encodeEntry(entry) });
    if (ops.length < LOST_BATCH) continue;
    await core.db.commit(ops);
    ops = [];
  }
  await core.db.commit(ops);
}
