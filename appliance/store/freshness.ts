import type { RecordId } from '../../protocol/brand.ts';
import { conditionError, type IndexCondition } from './condition.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { nameCutOff } from './cut-off.ts';
import { acceptRestored, dueRestore, nameLost } from './declared-restore.ts';
import { decodeEntry, encodeEntry, type HeadEntry, type LostEntry, type VersionEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { EvidenceEvent, FileGenerations } from './needs.ts';
import { recountStats } from './recount.ts';
import { replayDeletion } from './shred.ts';
import { isLogShort } from './trail.ts';

/** Entries removed together. */
const REMOVE_BATCH = 1_000;

/** What the leaves behind the index's own marks tell, held against the index. */
interface Compared {
  /** Puts that the index does not have, by record: the newest version of each. */
  readonly missing: Map<RecordId, LostEntry>;
  /** How many versions that are. */
  versions: number;
  readonly deletions: EvidenceEvent[];
  /** Versions of records that were made and destroyed since. */
  readonly made: Map<RecordId, { version: number; cid: string }[]>;
  unknown: number;
  /** The last leaf that makes, changes or destroys a record. */
  lastWrite: number;
  /** The leaf at the index's mark is not the one it was built on. */
  replaced: boolean;
}

/**
 * Holds the index against the log, before anything is served. Deletions that the index does not know are made again,
 * whatever it is. An index of an older generation than a leaf states was put back: what it lacks is written down as lost, and
 * the condition stays, through every restart, until an operator resolves it or the right index comes back.
 *
 * A restore that was declared explains what the index lacks of the log that was restored with it.
 *
 * A put whose leaf is there and whose commit is not is an attempt that a crash cut off, unless a later leaf says that the
 * index had gone on: only then it is missed. Until then it is named (`nameCutOff`).
 */
export async function checkFreshness(core: StoreCore): Promise<IndexCondition> {
  const latest = await core.deps.evidence.latest();
  const kept = await findEntry<IndexCondition>(core, core.keys.condition).catch(() => undefined);
  const marks = core.trail.marks();
  const compared = await compareLeaves(core);
  if (isLogShort(marks, latest.size) || compared.replaced)
    return keep(core, { state: 'ahead', since: nowOf(core), leaf: marks.auditLeaf, size: latest.size }, kept);
  if (core.db.found === 'broken' || core.db.stats().anchored === undefined)
    await core.db.commit([{ type: 'set', stats: await recountStats(core) }]);
  const restored = await dueRestore(core, { size: latest.size, lastWrite: compared.lastWrite });
  if (restored !== undefined && compared.unknown === 0 && kept?.state !== 'behind') {
    const { missing, deletions } = compared;
    await acceptRestored(core, restored, { lost: [...missing.values()], deletions: deletions.length, latest });
    await replayDeletions(core, compared);
    core.trail.settleAll(latest.size);
    await core.db.commit(raised(latest));
    return { state: 'fresh' };
  }
  const behind = isBehind(core, latest, compared) && (compared.missing.size > 0 || compared.unknown > 0);
  const before = { generation: core.db.stats().generation, logged: latest.index ?? 0 };
  if (!behind) await tellRepair(core, latest);
  await replayDeletions(core, compared);
  if (!behind && kept?.state !== 'behind') await nameCutOff(core, compared.missing.values());
  const condition = behind ? await markBehind(core, compared, before) : await stillKept(core, kept);
  core.trail.settleAll(latest.size);
  await core.db.commit(raised(latest));
  return condition;
}

/** An older index whose every deletion could be made again, and that lacks nothing, is the right one again. */
async function tellRepair(core: StoreCore, latest: FileGenerations): Promise<void> {
  const { generation } = core.db.stats();
  const older = core.db.found === 'stored' && generation < (latest.index ?? 0);
  if (!older && !core.db.repaired && core.db.found !== 'broken') return;
  core.deps.log.warn({ generation, logged: latest.index }, 'the index was damaged or put back, and lacks nothing');
  const detail = { state: 'repaired', generation, logged: latest.index ?? 0 };
  await core.trail.append({ type: 'store.index', outcome: 'success', context: systemContext('start'), detail });
}

/** What an earlier start found stays, but for a log that is the right one again: nothing was added to the wrong one. */
async function stillKept(core: StoreCore, kept: IndexCondition | undefined): Promise<IndexCondition> {
  if (kept?.state === 'behind') return kept;
  if (kept !== undefined) await core.db.commit([{ type: 'del', key: core.keys.condition }]);
  return { state: 'fresh' };
}

/** Generations go on above what the log states, so that an index that was put back is never again as old as it was. */
function raised({ index = 0 }: FileGenerations): IndexOp[] {
  return [{ type: 'set', stats: { generation: index } }];
}

function isBehind(core: StoreCore, latest: FileGenerations, { missing, unknown }: Compared): boolean {
  // Counters that did not open tell no generation: then what is missing decides.
  if (core.db.found === 'broken') return missing.size > 0;
  if (core.db.stats().generation < (latest.index ?? 0)) return true;
  // A log of before generations were stated, and no index at all.
  return core.db.found === 'new' && latest.index === undefined && (missing.size > 0 || unknown > 0);
}

/** Puts that the index does not have, by record, then by version and content. */
type Attempts = Map<RecordId, Map<string, LostEntry>>;

async function compareLeaves(core: StoreCore): Promise<Compared> {
  const { settled, auditLeaf, leafHash } = core.trail.marks();
  const compared: Compared = {
    missing: new Map(),
    versions: 0,
    deletions: [],
    made: new Map(),
    unknown: 0,
    lastWrite: -1,
    replaced: false,
  };
  const attempts: Attempts = new Map();
  const from = Math.max(0, auditLeaf < 0 ? settled + 1 : Math.min(settled + 1, auditLeaf));
  let markSeen = auditLeaf < from;
  for await (const event of core.deps.evidence.records(from, core.signal)) {
    if (event.index === auditLeaf) {
      markSeen = true;
      compared.replaced ||= leafHash !== '' && event.leafHash !== undefined && event.leafHash !== leafHash;
    }
    await compareOne(core, event, { compared, attempts });
  }
  compared.replaced ||= !markSeen;
  for (const lost of [...attempts.values()].flatMap((of) => [...of.values()])) {
    compared.versions += 1;
    const newest = compared.missing.get(lost.recordId);
    if (newest === undefined || newest.version < lost.version) compared.missing.set(lost.recordId, lost);
  }
  return compared;
}

async function compareOne(
  core: StoreCore,
  event: EvidenceEvent,
  { compared, attempts }: { compared: Compared; attempts: Attempts },
): Promise<void> {
  const { type, outcome, recordId, index, version = 0, cid = '' } = event;
  const deletion = type === 'record.delete';
  const rekey = type === 'record.rekey';
  if (!deletion && !rekey && type !== 'record.create' && type !== 'record.update') return;
  compared.lastWrite = index;
  if (recordId === undefined) {
    if (deletion && outcome === 'success') compared.unknown += 1;
    return;
  }
  const attempt = `${version}/${cid}`;
  if (outcome === 'failure') {
    attempts.get(recordId)?.delete(attempt);
    if (deletion) forget(compared.deletions, recordId);
    return;
  }
  if (deletion) {
    compared.deletions.push(event);
    attempts.delete(recordId);
    return;
  }
  const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version)).catch(() => undefined);
  if (entry?.root === cid || (entry !== undefined && isReplaced(entry, { rekey, index, cid }))) return;
  const head = await findEntry<HeadEntry>(core, core.keys.head(recordId)).catch(() => undefined);
  if (head?.shredded !== undefined) return;
  const ofRecord = attempts.get(recordId) ?? new Map();
  attempts.set(recordId, ofRecord.set(attempt, { recordId, version, auditLeaf: index }));
  compared.made.set(recordId, [...(compared.made.get(recordId) ?? []), { version, cid }]);
}

/** The leaf tells of ciphertext that a later one says was sealed anew; one whose commit was cut off is done again by then. */
function isReplaced(
  { rekeyed }: VersionEntry,
  of: { readonly rekey: boolean; readonly index: number; readonly cid: string },
): boolean {
  if (rekeyed === undefined) return false;
  return of.rekey ? rekeyed.leaf > of.index : rekeyed.cid === of.cid;
}

/** The log says that a deletion came to nothing: its caller was told so. */
function forget(deletions: EvidenceEvent[], recordId: RecordId): void {
  const at = deletions.findLastIndex((event) => event.recordId === recordId);
  if (at >= 0) deletions.splice(at, 1);
}

/** Every deletion of the log whose tombstone the index does not have: it was damaged, say. */
export async function replayAllDeletions(core: StoreCore, signal: AbortSignal): Promise<void> {
  const deletions: EvidenceEvent[] = [];
  for await (const event of core.deps.evidence.records(0, signal)) {
    if (event.type !== 'record.delete' || event.recordId === undefined) continue;
    if (event.outcome === 'success') deletions.push(event);
    else forget(deletions, event.recordId);
  }
  await replayDeletions(core, { deletions, made: new Map() });
}

async function replayDeletions(
  core: StoreCore,
  { deletions, made }: Pick<Compared, 'deletions' | 'made'>,
): Promise<void> {
  let replayed = 0;
  for (const event of deletions) {
    if (event.recordId === undefined) continue;
    const versions = made.get(event.recordId) ?? [];
    if (!(await replayDeletion(core, { recordId: event.recordId, event, versions }))) continue;
    replayed += 1;
    await core.trail.append({
      type: 'record.delete',
      outcome: 'success',
      context: systemContext('replay'),
      recordId: event.recordId,
      detail: { replayed: event.index },
    });
  }
  if (replayed === 0) return;
  core.metrics.replayedDeletions.inc(replayed);
  core.deps.log.warn({ deletions: replayed }, 'deletions that the index lacked were repeated from the log');
}

async function markBehind(
  core: StoreCore,
  compared: Compared,
  at: { readonly generation: number; readonly logged: number },
): Promise<IndexCondition> {
  const { missing, versions, unknown } = compared;
  await nameLost(core, missing.values(), 'all');
  const condition = { state: 'behind', since: nowOf(core), ...at, missing: versions, unknown } as const;
  return keep(core, condition, undefined);
}

/** Written down before anything is served; the first time it is also put on record. */
async function keep(core: StoreCore, found: IndexCondition, kept: IndexCondition | undefined): Promise<IndexCondition> {
  if (kept !== undefined && kept.state === found.state) return kept;
  const error = conditionError(found);
  core.deps.log.error({ code: error?.code }, 'the index is not the one that the log tells of');
  // On a log that is not ours to go on with, nothing is appended.
  if (found.state === 'behind') {
    const { generation, logged, missing, unknown } = found;
    const detail = { state: found.state, generation, logged, missing, unknown };
    await core.trail.append({ type: 'store.index', outcome: 'failure', context: systemContext('start'), detail });
  }
  await core.db.commit([{ type: 'put', key: core.keys.condition, value: encodeEntry(found) }]);
  return found;
}

/** The operator takes the index for what it is: what it lost stays named as lost, and everything goes on. */
export async function acceptIndex(core: StoreCore): Promise<void> {
  const { size } = await core.deps.evidence.latest();
  if (core.index.condition.state === 'ahead') core.trail.restart(size);
  let ops: IndexOp[] = [core.keys.condition, core.keys.restored].map((key) => ({ type: 'del', key }));
  for await (const { key, value } of core.db.range(kindRange(KIND.lost), () => undefined)) {
    const { recordId } = decodeEntry<LostEntry>(value);
    const head = await findEntry<HeadEntry>(core, core.keys.head(recordId)).catch(() => undefined);
    // Of a record that is still there the newest version that is left is the newest from now on.
    if (head !== undefined) ops.push({ type: 'del', key });
    if (ops.length < REMOVE_BATCH) continue;
    await core.db.commit(ops);
    ops = [];
  }
  core.db.keepMarksOf(core.trail);
  await core.db.commit(ops);
}

function nowOf(core: StoreCore): string {
  return core.deps.now().toISOString();
}
