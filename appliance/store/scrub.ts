import { isNectarError } from '../../protocol/errors.ts';
import { freeBytes } from '../stream-memory.ts';
import { readBlob } from './blob-reader.ts';
import { createBlockSource } from './block-source.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { walkDag } from './dag-walk.ts';
import { decodeEntry, encodeEntry, type HeadEntry, type ListingEntry, type VersionEntry } from './entries.ts';
import { compareEvidence } from './evidence.ts';
import { createTurns, inGroups } from './in-groups.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { ScrubFinding, ScrubProgress, ScrubReport } from './interfaces.ts';

/** A damaged disk gives more findings than anyone reads. */
const MAX_FINDINGS = 1000;
/** Records, or entries, looked at together. What small records have lies in the index: at most 512 KiB each are in memory. */
const GROUP = 64;
/** Records in files of their own that are read at a time: each has some segments of 1 MiB in memory. */
const LARGE_AT_ONCE = 4;

interface Tally {
  entries: number;
  records: number;
  versions: number;
  blocks: number;
  bytes: number;
  restored: number;
  unreadable: number;
  readonly findings: ScrubFinding[];
}

/** Re-reads and authenticates every index entry and every segment of every blob; bad blocks come back from replicas. */
export async function scrubStore(
  core: StoreCore,
  onProgress: (progress: ScrubProgress) => void,
  signal: AbortSignal,
): Promise<ScrubReport> {
  const before = core.db.stats();
  const tally: Tally = {
    entries: 0,
    records: 0,
    versions: 0,
    blocks: 0,
    bytes: 0,
    restored: 0,
    unreadable: 0,
    findings: [],
  };
  const report = (finding: ScrubFinding): void => {
    if (tally.findings.length < MAX_FINDINGS) tally.findings.push(finding);
  };
  await scrubEntries(core, tally, report);
  const inTurn = createTurns(LARGE_AT_ONCE);
  for await (const heads of inGroups(
    core.db.range(kindRange(KIND.head), () => undefined),
    GROUP,
  )) {
    signal.throwIfAborted();
    const live = heads.map(({ value }) => decodeEntry<HeadEntry>(value)).filter((head) => head.shredded === undefined);
    tally.records += live.length;
    await Promise.all(live.map((head) => scrubRecord(core, { head, tally, report, signal, inTurn })));
    onProgress({ versions: tally.versions, total: before.versions });
  }
  // Whole entries that were cut out leave no value that fails to open, but the sealed counts still know of them.
  const after = core.db.stats();
  const changed = after.records !== before.records || after.versions !== before.versions;
  if (!changed && (tally.records !== after.records || tally.versions !== after.versions))
    report({ code: 'STORE_INDEX_CORRUPT' });
  const evidenceLeaves = await compareEvidence(core, report, signal);
  await noteUnreadable(core, tally.unreadable);
  const { unreadable: _, ...told } = tally;
  return { ...told, ...(evidenceLeaves === undefined ? {} : { evidenceLeaves }) };
}

/** Kept over restarts: a node with records that do not read says so until a scrub reads them. */
async function noteUnreadable(core: StoreCore, versions: number): Promise<void> {
  const unreadable = { versions, at: core.deps.now().toISOString() };
  await core.db.commit([{ type: 'put', key: core.keys.scrubbed, value: encodeEntry(unreadable) }], 'lazy');
  core.index.unreadable = unreadable;
  core.metrics.unreadable.set(versions);
}

/** What the last whole scrub of an earlier start said. */
export async function readScrubbed(core: StoreCore): Promise<void> {
  const unreadable = await findEntry<NonNullable<StoreCore['index']['unreadable']>>(core, core.keys.scrubbed).catch(
    () => undefined,
  );
  if (unreadable !== undefined) core.index.unreadable = unreadable;
}

async function scrubEntries(core: StoreCore, tally: Tally, report: (finding: ScrubFinding) => void): Promise<void> {
  const broken = (): void => report({ code: 'STORE_INDEX_CORRUPT' });
  for (const kind of Object.values(KIND)) {
    for await (const entries of inGroups(core.db.range(kindRange(kind), broken), GROUP)) {
      tally.entries += entries.length;
      if (kind !== KIND.listing) continue;
      const heads = entries.map(({ value }) => core.keys.head(decodeEntry<ListingEntry>(value).recordId));
      // A head that does not open is there, and said by itself.
      for (const head of await core.db.getMany(heads)) if (head === undefined) broken();
    }
  }
}

interface RecordScrub {
  readonly head: HeadEntry;
  readonly tally: Tally;
  readonly report: (finding: ScrubFinding) => void;
  readonly signal: AbortSignal;
  /** For what is large. */
  readonly inTurn: ReturnType<typeof createTurns>;
}

async function scrubRecord(core: StoreCore, scrub: RecordScrub): Promise<void> {
  const { head, tally, report, signal } = scrub;
  const { recordId } = head;
  if ((await core.db.get(core.keys.listing(undefined, head.seq)).catch(() => undefined)) === undefined) {
    report({ code: 'STORE_INDEX_CORRUPT', recordId });
  }
  for (let version = 1; version <= head.latest; version++) {
    try {
      const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version));
      tally.versions += 1;
      const give = entry === undefined ? undefined : core.uses.take(entry.root);
      const read = (known: VersionEntry) => () => scrubVersion(core, known, scrub);
      if (entry !== undefined) await (entry.inline ? read(entry)() : scrub.inTurn(read(entry))).finally(give);
      else if (!(await wasShredded(core, head))) report({ code: 'STORE_INDEX_CORRUPT', recordId, version });
    } catch (error) {
      if (!isNectarError(error)) throw error;
      if (!signal.aborted) tally.unreadable += 1;
      const cid =
        isNectarError(error, 'STORE_BLOB_CORRUPT') || isNectarError(error, 'STORE_BLOCK_MISSING')
          ? error.data.cid
          : undefined;
      report({
        code: error.code,
        recordId,
        version,
        ...(cid === undefined ? {} : { cid: cid as VersionEntry['root'] }),
      });
    }
  }
}

async function wasShredded(core: StoreCore, head: HeadEntry): Promise<boolean> {
  return (await findEntry<HeadEntry>(core, core.keys.head(head.recordId)))?.shredded !== undefined;
}

async function scrubVersion(core: StoreCore, entry: VersionEntry, scrub: RecordScrub): Promise<void> {
  const { tally, signal } = scrub;
  const options = {
    entry,
    signal,
    context: systemContext('scrub'),
    onRestored: () => {
      tally.restored += 1;
    },
  };
  // Every segment authenticates its whole block, so the leaves need no second hash; the nodes are checked on the way.
  for await (const plaintext of readBlob(core, { ...options, start: 0, end: entry.bytes })) {
    tally.bytes += plaintext.length;
    plaintext.fill(0);
    freeBytes(plaintext);
  }
  const source = createBlockSource(core, options);
  for await (const _ of walkDag(entry.root, (cid) => source.loadChecked(cid))) tally.blocks += 1;
}
