import type { RecordId } from '../../protocol/brand.ts';
import type { StoreCore } from './core.ts';
import {
  decodeEntry,
  encodeEntry,
  type HeadEntry,
  type ListingEntry,
  type LostEntry,
  type VersionEntry,
} from './entries.ts';
import { acceptIndex, replayAllDeletions } from './freshness.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange, listingSeq } from './index-keys.ts';
import type { FsckReport, ScrubProgress } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { recountStats } from './recount.ts';

/** Lost versions that a report names; the rest is counted. */
const MAX_NAMED = 1_000;
const WRITE_BATCH = 512;

export interface FsckOptions {
  /** Take the index for what it is: ends STORE_INDEX_BEHIND and STORE_INDEX_AHEAD. */
  readonly accept: boolean;
  /** Who asked for it. */
  readonly context: AccessContext;
  readonly onProgress: (progress: ScrubProgress) => void;
  readonly signal: AbortSignal;
}

interface Tally {
  records: number;
  versions: number;
  rebuilt: number;
  removed: number;
  lostVersions: number;
  readonly lost: { recordId?: RecordId; version?: number }[];
}

/**
 * Rebuilds the index from what cannot be rebuilt itself: the version entries, which alone hold the wrapped keys. Heads, listings,
 * references, queues and counters follow from them. Values that do not open are removed; a version whose value was one of them
 * is lost, and so is its content, unless a backup has the value.
 */
export async function rebuildIndex(core: StoreCore, options: FsckOptions): Promise<FsckReport> {
  const { signal, onProgress } = options;
  const total = core.db.stats().versions;
  const tally: Tally = { records: 0, versions: 0, rebuilt: 0, removed: 0, lostVersions: 0, lost: [] };
  const places = await listedPlaces(core);
  const writer = createWriter(core);
  for await (const record of recordsByVersions(core, tally)) {
    signal.throwIfAborted();
    await core.locks.run(record.recordId, () => rebuildRecord(core, record.recordId, { places, tally, writer }));
    onProgress({ versions: tally.versions, total });
  }
  await removeBroken(core, tally, writer);
  await removeStrayListings(core, tally, writer);
  await nameHeadsWithoutVersions(core, tally);
  await writer.flush();
  await replayAllDeletions(core, signal);
  if (options.accept) await acceptIndex(core);
  await core.db.commit([{ type: 'set', stats: await recountStats(core) }]);
  core.index.damaged.clear();
  if (options.accept) core.index.condition = { state: 'fresh' };
  const { records, versions, rebuilt, removed, lostVersions, lost } = tally;
  const detail = { records, versions, rebuilt, removed, lost: lostVersions, accepted: options.accept ? 1 : 0 };
  await core.trail.append({ type: 'store.index', outcome: 'success', context: options.context, detail });
  return { records, versions, rebuilt, removed, lostVersions, lost, accepted: options.accept };
}

interface Writer {
  add(ops: readonly IndexOp[]): Promise<void>;
  flush(): Promise<void>;
}

function createWriter(core: StoreCore): Writer {
  let ops: IndexOp[] = [];
  const flush = async (): Promise<void> => {
    const write = ops;
    ops = [];
    if (write.length > 0) await core.db.commit(write);
  };
  return {
    flush,
    async add(more) {
      ops.push(...more);
      if (ops.length >= WRITE_BATCH) await flush();
    },
  };
}

/** Where records stand in the listing of all, for those whose own head no longer says so. */
async function listedPlaces(core: StoreCore): Promise<Map<RecordId, number>> {
  const places = new Map<RecordId, number>();
  for await (const { key, value } of core.db.range(core.keys.listings(undefined), () => undefined)) {
    const seq = listingSeq(key);
    places.set(decodeEntry<ListingEntry>(value).recordId, seq);
  }
  return places;
}

/** Each record that has a version entry, once. */
async function* recordsByVersions(core: StoreCore, tally: Tally): AsyncGenerator<{ readonly recordId: RecordId }> {
  let last: RecordId | undefined;
  for await (const { value } of core.db.range(kindRange(KIND.version), () => undefined)) {
    tally.versions += 1;
    const { recordId } = decodeEntry<VersionEntry>(value);
    if (recordId !== last) yield { recordId };
    last = recordId;
  }
}

interface Rebuild {
  readonly places: ReadonlyMap<RecordId, number>;
  readonly tally: Tally;
  readonly writer: Writer;
}

async function rebuildRecord(core: StoreCore, recordId: RecordId, { places, tally, writer }: Rebuild): Promise<void> {
  const { db, keys } = core;
  const entries: VersionEntry[] = [];
  for await (const { value } of db.range(keys.versions(recordId), () => undefined))
    entries.push(decodeEntry<VersionEntry>(value));
  const newest = entries.at(-1);
  if (newest === undefined) return;
  const found = await readHead(core, recordId);
  if (found?.shredded !== undefined) return removeOf(core, entries, { tally, writer });
  tally.records += 1;
  const seq = found?.seq ?? places.get(recordId) ?? core.takeSeq();
  const latest = Math.max(newest.version, found?.latest ?? 0);
  const head: HeadEntry = { v: 1, recordId, seq, latest, labels: newest.labels };
  const have = new Set(entries.map(({ version }) => version));
  for (let version = 1; version <= latest; version++) if (!have.has(version)) nameLost(tally, { recordId, version });
  const expected = new Map<Uint8Array, object>([
    ...(found === undefined ? [[keys.head(recordId), head] as const] : []),
    ...[undefined, ...head.labels].map((label) => [keys.listing(label, seq), { recordId }] as const),
    ...entries.flatMap(({ root, version, anchor }) => [
      [keys.ofCid(KIND.root, root), { recordId, version }] as const,
      ...(anchor === undefined
        ? [[keys.ofVersion(KIND.unanchored, recordId, version), { recordId, version }] as const]
        : []),
    ]),
  ]);
  const ops: IndexOp[] = [];
  for (const [key, value] of expected) {
    if ((await db.get(key).catch(() => undefined)) !== undefined) continue;
    ops.push({ type: 'put', key, value: encodeEntry(value) });
  }
  tally.rebuilt += ops.length;
  await writer.add(ops);
}

/** undefined also for one that does not open. */
async function readHead(core: StoreCore, recordId: RecordId): Promise<HeadEntry | undefined> {
  const value = await core.db.get(core.keys.head(recordId)).catch(() => undefined);
  return value === undefined ? undefined : decodeEntry<HeadEntry>(value);
}

/** Version entries beside a tombstone were put back by somebody: what is destroyed stays so. */
async function removeOf(
  core: StoreCore,
  entries: readonly VersionEntry[],
  { tally, writer }: Pick<Rebuild, 'tally' | 'writer'>,
): Promise<void> {
  tally.removed += entries.length;
  await writer.add(
    entries.flatMap(({ recordId, version, root }) => [
      { type: 'del', key: core.keys.version(recordId, version) } as const,
      { type: 'del', key: core.keys.ofCid(KIND.root, root) } as const,
    ]),
  );
}

async function removeBroken(core: StoreCore, tally: Tally, writer: Writer): Promise<void> {
  await writer.flush();
  for (const kind of Object.values(KIND)) {
    if (kind === KIND.stats) continue;
    const broken: Uint8Array[] = [];
    for await (const _ of core.db.range(kindRange(kind), (key) => broken.push(key))) core.signal.throwIfAborted();
    // A value that was rebuilt meanwhile opens now.
    for (const key of broken) {
      if ((await core.db.get(key).catch(() => undefined)) !== undefined) continue;
      tally.removed += 1;
      await writer.add([{ type: 'del', key }]);
    }
  }
}

async function removeStrayListings(core: StoreCore, tally: Tally, writer: Writer): Promise<void> {
  await writer.flush();
  for await (const { key, value } of core.db.range(kindRange(KIND.listing), () => undefined)) {
    const head = await readHead(core, decodeEntry<ListingEntry>(value).recordId);
    const seq = listingSeq(key);
    if (head !== undefined && head.shredded === undefined && head.seq === seq) continue;
    tally.removed += 1;
    await writer.add([{ type: 'del', key }]);
  }
}

/** Live heads none of whose versions is there: the whole record is lost. */
async function nameHeadsWithoutVersions(core: StoreCore, tally: Tally): Promise<void> {
  for await (const { value } of core.db.range(kindRange(KIND.head), () => undefined)) {
    const { recordId, latest, shredded } = decodeEntry<HeadEntry>(value);
    if (shredded !== undefined) continue;
    let versions = 0;
    for await (const _ of core.db.range({ ...core.keys.versions(recordId), limit: 1 }, () => undefined)) versions += 1;
    if (versions > 0) continue;
    for (let version = 1; version <= latest; version++) nameLost(tally, { recordId, version });
  }
  for await (const { value } of core.db.range(kindRange(KIND.lost), () => undefined)) {
    const { recordId, version } = decodeEntry<LostEntry>(value);
    nameLost(tally, { recordId, version });
  }
}

function nameLost(tally: Tally, lost: { recordId: RecordId; version: number }): void {
  tally.lostVersions += 1;
  if (tally.lost.length < MAX_NAMED) tally.lost.push(lost);
}
