import type { Cid, RecordId } from '../../protocol/brand.ts';
import {
  DESTRUCTION_RECEIPT_TYPE,
  type DestructionReceipt,
  destructionStatementBytes,
} from '../../protocol/envelope/destruction-receipt.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { garbageOp } from './block-source.ts';
import { findEntry, getHead, type StoreCore, systemContext } from './core.ts';
import {
  countAnchored,
  decodeEntry,
  type ErasureEntry,
  encodeEntry,
  type HeadEntry,
  type IntentEntry,
  type VersionEntry,
} from './entries.ts';
import { everyHolder } from './holders.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { Expected } from './interfaces.ts';
import type { AccessContext, EvidenceEvent } from './needs.ts';
import { requireExpected } from './precondition.ts';
import { checkExpected } from './put-input.ts';
import { recordPatients } from './record-patients.ts';

/**
 * Destroys a record: audit leaf durable -> wrapped DEKs of all versions out of the index -> receipt. The log is the journal:
 * a start makes every deletion again that the log has and the index has not, so the index need not be flushed before the
 * answer. What is left (bytes in the files, blocks, copies of holders) is written down with the tombstone and done behind it
 * (erasure.ts). Asked again, it returns the same receipt.
 */
export async function shredRecord(
  core: StoreCore,
  request: { readonly id: RecordId; readonly context: AccessContext; readonly expected: Expected | undefined },
): Promise<DestructionReceipt> {
  const { id, context } = request;
  const expected = checkExpected(request.expected);
  return core.locks.run(id, async () => {
    const known = await findEntry<HeadEntry>(core, core.keys.head(id));
    if (known?.shredded !== undefined) return known.shredded;
    const head = await getHead(core, id);
    await requireExpected(core, head, expected);
    return destroy(core, head, context);
  });
}

/** Ends the deletions that a crash of an earlier version cut off: it wrote down the intent before the leaf. */
export async function finishDeletions(core: StoreCore): Promise<number> {
  let finished = 0;
  for await (const { value } of core.db.range(kindRange(KIND.intent))) {
    const { recordId } = decodeEntry<IntentEntry>(value);
    try {
      await destroy(core, await getHead(core, recordId), systemContext('recovery'));
    } catch (error) {
      if (!isNectarError(error, 'STORE_RECORD_SHREDDED')) throw error;
      await core.db.commit([{ type: 'del', key: core.keys.intent(recordId) }]);
    }
    finished += 1;
  }
  return finished;
}

async function destroy(core: StoreCore, head: HeadEntry, context: AccessContext): Promise<DestructionReceipt> {
  const { recordId } = head;
  const found = await findVersions(core, recordId);
  if (found.versions.length !== head.latest || found.broken.length > 0)
    throw new NectarError('STORE_INDEX_CORRUPT', { entry: `versions of ${recordId}` });
  const destroyedAt = core.deps.now().toISOString();
  const event = {
    type: 'record.delete',
    context,
    recordId,
    ...recordPatients(head.labels),
    detail: { versions: found.versions.length, destroyedAt },
  } as const;
  const leaf = await core.trail.begin({ ...event, outcome: 'success' });
  try {
    const receipt = await signReceipt(core, { recordId, versions: found.versions, auditLeaf: leaf.index, destroyedAt });
    await core.db.commit(tombstoneOps(core, { head, ...found, receipt }), 'lazy');
    core.erasures.added();
    core.erasures.wake();
    return receipt;
  } catch (error) {
    // The leaf above stands; this one says that it came to nothing, and no later start does it behind the caller's back.
    await core.trail.append({ ...event, outcome: 'failure' }).catch(() => undefined);
    throw error;
  } finally {
    leaf.settle();
  }
}

/**
 * Makes a deletion again that the log has. `versions`: what the log says of versions that the index may not have.
 * False when the index has it already.
 */
export async function replayDeletion(
  core: StoreCore,
  of: {
    readonly recordId: RecordId;
    readonly event: EvidenceEvent;
    readonly versions: readonly { readonly version: number; readonly cid: string }[];
  },
): Promise<boolean> {
  const { recordId, event } = of;
  const known = await findEntry<HeadEntry>(core, core.keys.head(recordId)).catch(() => undefined);
  if (known?.shredded !== undefined) return false;
  const found = await findVersions(core, recordId);
  const named = new Map(of.versions.map(({ version, cid }) => [version, { version, root: cid as Cid }]));
  for (const { version, root } of found.versions) named.set(version, { version, root });
  const versions = [...named.values()].toSorted((a, b) => a.version - b.version);
  const seq = known?.seq ?? core.takeSeq();
  const head: HeadEntry = known ?? { v: 1, recordId, seq, latest: versions.length, labels: labelsOf(found.versions) };
  const destroyedAt = event.destroyedAt ?? event.time ?? core.deps.now().toISOString();
  const receipt = await signReceipt(core, { recordId, versions, auditLeaf: event.index, destroyedAt });
  const ops = tombstoneOps(core, { head, ...found, receipt });
  if (known === undefined && found.versions.length === 0)
    ops.push({ type: 'count', delta: { records: 1, nextSeq: seq + 1 } });
  await core.db.commit(ops);
  return true;
}

function labelsOf(versions: readonly VersionEntry[]): readonly string[] {
  return versions.at(-1)?.labels ?? [];
}

interface FoundVersions {
  readonly versions: readonly VersionEntry[];
  /** Keys of those that do not open. */
  readonly broken: readonly Uint8Array[];
}

async function findVersions(core: StoreCore, recordId: RecordId): Promise<FoundVersions> {
  const versions: VersionEntry[] = [];
  const broken: Uint8Array[] = [];
  for await (const { value } of core.db.range(core.keys.versions(recordId), (key) => broken.push(key)))
    versions.push(decodeEntry<VersionEntry>(value));
  return { versions, broken };
}

async function signReceipt(
  core: StoreCore,
  of: {
    readonly recordId: RecordId;
    readonly versions: readonly { readonly version: number; readonly root: Cid }[];
    readonly auditLeaf: number;
    readonly destroyedAt: string;
  },
): Promise<DestructionReceipt> {
  const { recordId, auditLeaf, destroyedAt } = of;
  const statement = {
    type: DESTRUCTION_RECEIPT_TYPE,
    nodeId: core.options.nodeId,
    recordId,
    versions: of.versions.map(({ version, root }) => ({ version, cid: root })),
    destroyedAt,
    auditLeaf,
  } as const;
  const signature = await core.deps.signer.sign(destructionStatementBytes(statement));
  return { ...statement, signature: Buffer.from(signature).toString('base64') };
}

/** One batch: the head becomes a tombstone without labels; all else of the record goes; what is left to do is written down. */
function tombstoneOps(
  core: StoreCore,
  of: FoundVersions & { readonly head: HeadEntry; readonly receipt: DestructionReceipt },
): IndexOp[] {
  const { keys } = core;
  const { recordId, seq, latest, labels } = of.head;
  const del = (key: Uint8Array): IndexOp => ({ type: 'del', key });
  const tombstone: HeadEntry = { v: 1, recordId, seq, latest, labels: [], shredded: of.receipt };
  const erasure: ErasureEntry = {
    recordId,
    since: of.receipt.destroyedAt,
    blobs: of.versions.map((entry) => ({ root: entry.root, inline: entry.inline, holders: everyHolder(entry) })),
  };
  const ops: IndexOp[] = [
    { type: 'put', key: keys.head(recordId), value: encodeEntry(tombstone) },
    { type: 'put', key: keys.erasure(recordId), value: encodeEntry(erasure) },
    del(keys.intent(recordId)),
    del(keys.lost(recordId)),
    ...of.broken.map(del),
    ...[undefined, ...labels].map((label) => del(keys.listing(label, seq))),
  ];
  for (const { version, root, inline } of of.versions) {
    ops.push(
      del(keys.version(recordId, version)),
      del(keys.ofVersion(KIND.unanchored, recordId, version)),
      del(keys.ofVersion(KIND.underReplicated, recordId, version)),
      del(keys.ofCid(KIND.root, root)),
      inline ? del(keys.ofCid(KIND.inlineBlock, root)) : garbageOp(core, root),
    );
  }
  const bytes = of.versions.reduce((sum, version) => sum + version.bytes, 0);
  const anchored = -countAnchored(of.versions);
  ops.push({ type: 'count', delta: { records: -1, versions: -of.versions.length, bytes: -bytes, anchored } });
  return ops;
}
