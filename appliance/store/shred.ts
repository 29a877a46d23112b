import type { RecordId } from '../../protocol/brand.ts';
import {
  DESTRUCTION_RECEIPT_TYPE,
  type DestructionReceipt,
  destructionStatementBytes,
} from '../../protocol/envelope/destruction-receipt.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { garbageOp } from './block-source.ts';
import { findEntry, getHead, type StoreCore, systemContext, versionsOf } from './core.ts';
import { decodeEntry, encodeEntry, type HeadEntry, type IntentEntry, type VersionEntry } from './entries.ts';
import { collectGarbage } from './garbage.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { AccessContext, Expected } from './interfaces.ts';
import { requireExpected } from './precondition.ts';
import { checkExpected } from './put-input.ts';
import { recordPatients } from './record-patients.ts';

/** Holders that do not answer within this time are not told. */
const RELEASE_TIMEOUT_MS = 5_000;

/**
 * Destroys a record: intent durable -> audit leaf durable -> wrapped DEKs of all versions gone from the index and, by
 * compaction, from its files -> blocks deleted. From the intent on a crash cannot lose the deletion: the next start ends it.
 * Asked again, it returns the same receipt.
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
    const intent: IntentEntry = { recordId: id, since: core.deps.now().toISOString() };
    await core.db.commit([{ type: 'put', key: core.keys.intent(id), value: encodeEntry(intent) }]);
    return destroy(core, head, context);
  });
}

/** Ends the deletions that a crash cut off. */
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
  const versions: VersionEntry[] = [];
  for await (const version of versionsOf(core, recordId)) versions.push(version);
  if (versions.length !== head.latest)
    throw new NectarError('STORE_INDEX_CORRUPT', { entry: `versions of ${recordId}` });
  const { index: auditLeaf } = await core.deps.audit
    .append({
      type: 'record.delete',
      outcome: 'success',
      context,
      recordId,
      ...recordPatients(head.labels),
      detail: { versions: versions.length },
    })
    .catch(async (error: unknown) => {
      // Not logged, not done: the caller is told, and no later start may do it behind his back.
      await core.db.commit([{ type: 'del', key: core.keys.intent(recordId) }]);
      throw error;
    });
  const receipt = await signReceipt(core, { recordId, versions, auditLeaf });
  await core.db.commit(tombstoneOps(core, { head, versions, receipt }));
  await core.db.compact(core.keys.versions(recordId));
  const key = core.keys.head(recordId);
  await core.db.compact({ gte: key, lt: Buffer.concat([key, Uint8Array.of(0)]) });
  for (const { root, inline } of versions) if (!inline) await collectGarbage(core, root);
  await releaseReplicas(core, versions);
  return receipt;
}

/** A courtesy: what a holder keeps is unreadable by now, whether it hears of it or not. */
async function releaseReplicas(core: StoreCore, versions: readonly VersionEntry[]): Promise<void> {
  const signal = AbortSignal.any([core.signal, AbortSignal.timeout(RELEASE_TIMEOUT_MS)]);
  for (const { root, holders } of versions) {
    if (holders.length === 0) continue;
    await core.deps.replicas?.release(root, holders, signal).catch((error: unknown) => {
      core.deps.log.debug({ err: error }, 'holders not told of a destroyed blob');
    });
  }
}

async function signReceipt(
  core: StoreCore,
  of: { readonly recordId: RecordId; readonly versions: readonly VersionEntry[]; readonly auditLeaf: number },
): Promise<DestructionReceipt> {
  const statement = {
    type: DESTRUCTION_RECEIPT_TYPE,
    nodeId: core.options.nodeId,
    recordId: of.recordId,
    versions: of.versions.map(({ version, root }) => ({ version, cid: root })),
    destroyedAt: core.deps.now().toISOString(),
    auditLeaf: of.auditLeaf,
  } as const;
  const signature = await core.deps.signer.sign(destructionStatementBytes(statement));
  return { ...statement, signature: Buffer.from(signature).toString('base64') };
}

/** One batch: the head becomes a tombstone without labels; all else of the record goes; its blocks become garbage. */
function tombstoneOps(
  core: StoreCore,
  of: { readonly head: HeadEntry; readonly versions: readonly VersionEntry[]; readonly receipt: DestructionReceipt },
): IndexOp[] {
  const { keys } = core;
  const { recordId, seq, latest, labels } = of.head;
  const del = (key: Uint8Array): IndexOp => ({ type: 'del', key });
  const tombstone: HeadEntry = { v: 1, recordId, seq, latest, labels: [], shredded: of.receipt };
  const ops: IndexOp[] = [
    { type: 'put', key: keys.head(recordId), value: encodeEntry(tombstone) },
    del(keys.intent(recordId)),
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
  ops.push({ type: 'count', delta: { records: -1, versions: -of.versions.length, bytes: -bytes } });
  return ops;
}
