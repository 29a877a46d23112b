import { type IndexFrame, parseIndexFrames } from '../../protocol/backup/index-frames.ts';
import type { RecordId } from '../../protocol/brand.ts';
import { openValue } from '../../protocol/envelope/sealed-value.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, encodeEntry, type HeadEntry, type VersionEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND } from './index-keys.ts';
import type { AdoptedEntries } from './interfaces.ts';
import type { AccessContext } from './needs.ts';

/** Versions looked up in the log together: their entries are in memory meanwhile. */
const BATCH = 2_000;
/** Small blobs that an answer asks for. */
const MAX_WANTED = 100_000;

interface Candidate {
  readonly entry: VersionEntry;
  readonly key: Uint8Array;
}

interface Tally {
  offered: number;
  adopted: number;
  refused: number;
  readonly wanted: string[];
}

/**
 * Takes into the index what it lacks of the entries that a backup of this node holds: versions, which alone hold the wrapped keys, and
 * small blobs. An entry opens only under this node's key and in its own place; the log has to have made that very version, and not
 * destroyed its record since. So an old backup brings back what was lost, and nothing that was destroyed. Heads, listings and
 * counters follow from the versions (fsck).
 */
export async function adoptEntries(
  core: StoreCore,
  source: AsyncIterable<Uint8Array>,
  { context, signal }: { readonly context: AccessContext; readonly signal: AbortSignal },
): Promise<AdoptedEntries> {
  const tally: Tally = { offered: 0, adopted: 0, refused: 0, wanted: [] };
  let batch: Candidate[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await adoptVersions(core, batch, { tally, signal });
    batch = [];
  };
  for await (const frame of parseIndexFrames(source)) {
    signal.throwIfAborted();
    const [kind] = frame[0];
    if (kind === KIND.inlineBlock) await adoptBlob(core, frame, tally);
    if (kind !== KIND.version) continue;
    const candidate = await candidateOf(core, frame, tally);
    if (candidate !== undefined) batch.push(candidate);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  const { offered, adopted, refused, wanted } = tally;
  if (adopted > 0) {
    const detail = { state: 'adopted', offered, adopted, refused };
    await core.trail.append({ type: 'store.index', outcome: 'success', context, detail });
  }
  return { offered, adopted, refused, wanted };
}

/** undefined for one that is there, or is not an entry of this index. */
async function candidateOf(core: StoreCore, [key, sealed]: IndexFrame, tally: Tally): Promise<Candidate | undefined> {
  tally.offered += 1;
  if (await isThere(core, key)) return undefined;
  const value = openValue(core.deps.crypto, core.keys.valueKey, { place: key, sealed });
  if (value === undefined) {
    tally.refused += 1;
    return undefined;
  }
  return { key, entry: decodeEntry<VersionEntry>(value) };
}

async function adoptVersions(
  core: StoreCore,
  batch: readonly Candidate[],
  { tally, signal }: { readonly tally: Tally; readonly signal: AbortSignal },
): Promise<void> {
  const made = await madeByLog(core, batch, signal);
  const ops: IndexOp[] = [];
  for (const { entry, key } of batch) {
    const { recordId, root, inline } = entry;
    const head = await findEntry<HeadEntry>(core, core.keys.head(recordId)).catch(() => undefined);
    if (head?.shredded !== undefined || !made.has(nameOf(entry))) {
      tally.refused += 1;
      continue;
    }
    ops.push({ type: 'put', key, value: encodeEntry(entry) }, { type: 'del', key: core.keys.lost(recordId) });
    const blob = core.keys.ofCid(KIND.inlineBlock, root);
    if (inline && tally.wanted.length < MAX_WANTED && !(await isThere(core, blob)))
      tally.wanted.push(Buffer.from(blob).toString('hex'));
    tally.adopted += 1;
  }
  await core.db.commit(ops);
}

/** The versions among these that the log has made, and whose records it has not destroyed. */
async function madeByLog(core: StoreCore, batch: readonly Candidate[], signal: AbortSignal): Promise<Set<string>> {
  const wanted = new Set(batch.map(({ entry }) => nameOf(entry)));
  const records = new Set<RecordId>(batch.map(({ entry }) => entry.recordId));
  const made = new Map<string, RecordId>();
  const first = Math.min(...batch.map(({ entry }) => entry.auditLeaf));
  for await (const event of core.deps.evidence.records(first, signal)) {
    const { recordId, outcome, type, version = 0, cid = '', index } = event;
    if (recordId === undefined || !records.has(recordId)) continue;
    if (type === 'record.delete' && outcome === 'success') {
      for (const [name, of] of made) if (of === recordId) made.delete(name);
      continue;
    }
    const name = nameOf({ recordId, version, root: cid, auditLeaf: index });
    if ((type === 'record.create' || type === 'record.update') && outcome === 'success' && wanted.has(name))
      made.set(name, recordId);
  }
  return new Set(made.keys());
}

interface MadeVersion {
  readonly recordId: RecordId;
  readonly version: number;
  readonly root: string;
  readonly auditLeaf: number;
}

function nameOf({ recordId, version, root, auditLeaf }: MadeVersion): string {
  return `${recordId}/${version}/${root}/${auditLeaf}`;
}

/** A small blob that is asked for: ciphertext, sealed once more for its place. */
async function adoptBlob(core: StoreCore, [key, sealed]: IndexFrame, tally: Tally): Promise<void> {
  tally.offered += 1;
  if (await isThere(core, key)) return;
  const value = openValue(core.deps.crypto, core.keys.valueKey, { place: key, sealed });
  if (value === undefined) {
    tally.refused += 1;
    return;
  }
  await core.db.commit([{ type: 'put', key, value }]);
  tally.adopted += 1;
}

/** And opens: a value that is damaged is one that is lacking. */
async function isThere(core: StoreCore, key: Uint8Array): Promise<boolean> {
  return (await core.db.get(key).catch(() => undefined)) !== undefined;
}
