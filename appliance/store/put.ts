import type { RecordId } from '../../protocol/brand.ts';
import { MAX_RECORD_VERSION } from '../../protocol/envelope/aad.ts';
import { COMMITMENT_SALT_BYTES } from '../../protocol/envelope/commitment.ts';
import { NectarError } from '../../protocol/errors.ts';
import { getHead, type StoreCore } from './core.ts';
import { encodeEntry, type HeadEntry, storedDek, type VersionEntry } from './entries.ts';
import { type KeyedPut, putOnce } from './idempotency.ts';
import type { IndexOp } from './index-db.ts';
import { KIND } from './index-keys.ts';
import type { PutInput, PutReceipt } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { preconditionFailed, requireExpected } from './precondition.ts';
import { checkPutInput } from './put-input.ts';
import { recordPatients } from './record-patients.ts';
import { type SealedVersion, sealVersion } from './seal-version.ts';

interface Upload {
  readonly input: PutInput;
  readonly recordId: RecordId;
  readonly version: number;
  readonly context: AccessContext;
  readonly remember?: KeyedPut['remember'];
}

/**
 * stream -> seal -> blocks durable -> audit leaf durable -> index commit durable -> receipt. A crash before the commit leaves
 * blocks that the next start collects and, after the leaf, a leaf that no version names: an attempted put.
 */
export async function putRecord(
  core: StoreCore,
  request: {
    readonly input: PutInput;
    readonly body: AsyncIterable<Uint8Array>;
    readonly context: AccessContext;
    readonly signal: AbortSignal;
  },
): Promise<PutReceipt> {
  const input = checkPutInput(request.input);
  const { idempotency } = input;
  if (idempotency === undefined) return putVersion(core, { ...request, input });
  const { body } = request;
  return putOnce(core, { idempotency, body }, (keyed) => putVersion(core, { ...request, ...keyed, input }));
}

async function putVersion(
  core: StoreCore,
  request: {
    readonly input: PutInput;
    readonly body: AsyncIterable<Uint8Array>;
    readonly context: AccessContext;
    readonly signal: AbortSignal;
    readonly remember?: KeyedPut['remember'];
  },
): Promise<PutReceipt> {
  const { input, context, remember } = request;
  const recordId = input.recordId ?? (Buffer.from(core.deps.randomBytes(16)).toString('hex') as RecordId);
  const version = input.recordId === undefined ? 1 : (await expectedHead(core, recordId, input)).latest + 1;
  const slot = `${recordId}/${version}`;
  if (core.uploading.has(slot) || version > MAX_RECORD_VERSION)
    throw new NectarError('STORE_VERSION_CONFLICT', { recordId, version });
  core.uploading.add(slot);
  try {
    const to = { input, recordId, version, context, ...(remember === undefined ? {} : { remember }) };
    return await upload(core, to, request);
  } finally {
    core.uploading.delete(slot);
  }
}

/** The head that the new version follows. The commit follows no other one, so what holds here holds there. */
async function expectedHead(core: StoreCore, recordId: RecordId, { expected }: PutInput): Promise<HeadEntry> {
  const head = await getHead(core, recordId);
  await requireExpected(core, head, expected);
  return head;
}

async function upload(
  core: StoreCore,
  to: Upload,
  source: { readonly body: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
): Promise<PutReceipt> {
  const { recordId, version } = to;
  const { body, signal } = source;
  const maxBytes = core.options.maxRecordBytes;
  const wanted = { recordId, version, body, signals: [signal, core.signal], maxBytes };
  try {
    const receipt = await sealVersion(core, wanted, (sealed) => commit(core, { to, ...sealed }));
    core.metrics.sealedBytes.inc(receipt.bytes);
    return receipt;
  } catch (error) {
    core.deps.log.debug({ recordId, version }, 'put not committed');
    throw error;
  }
}

interface Finished extends SealedVersion {
  readonly to: Upload;
}

async function commit(core: StoreCore, finished: Finished): Promise<PutReceipt> {
  const { to, blob } = finished;
  const { recordId, version, context } = to;
  const head = version === 1 ? undefined : await getHead(core, recordId);
  if (head !== undefined && head.latest !== version - 1) {
    if (to.input.expected !== undefined) throw preconditionFailed(recordId, head.latest);
    throw new NectarError('STORE_VERSION_CONFLICT', { recordId, version });
  }
  const type = version === 1 ? 'record.create' : 'record.update';
  const detail = { cid: blob.root, bytes: blob.bytes };
  const event = { type, context, recordId, version, ...recordPatients(to.input.labels), detail } as const;
  const leaf = await core.trail.begin({ ...event, outcome: 'success' });
  const receipt = { recordId, version, cid: blob.root, bytes: blob.bytes, auditLeaf: leaf.index };
  try {
    const remembered = (await to.remember?.(receipt)) ?? [];
    // In one turn with the commit that it goes into: no rotation comes between.
    const entry = versionEntry(core, finished, leaf.index);
    await core.db.commit([...commitOps(core, { head, entry, inline: blob.inline }), ...remembered]);
    return receipt;
  } catch (error) {
    // The leaf above stands; this one says that it came to nothing.
    await core.deps.audit.append({ ...event, outcome: 'failure' }).catch(() => undefined);
    throw error;
  } finally {
    leaf.settle();
  }
}

function versionEntry(core: StoreCore, { to, wrapped, blob }: Finished, auditLeaf: number): VersionEntry {
  const { contentType, labels, name, digests } = to.input;
  return {
    v: 1,
    recordId: to.recordId,
    version: to.version,
    root: blob.root,
    bytes: blob.bytes,
    header: Buffer.from(blob.header).toString('base64'),
    inline: blob.inline !== undefined,
    contentType,
    labels,
    ...(name === undefined ? {} : { name }),
    createdAt: core.deps.now().toISOString(),
    auditLeaf,
    // The KEK may have been rotated during a long upload, and its rewrap has passed this record by.
    dek: storedDek(core.deps.keys.rewrapDek(wrapped, { recordId: to.recordId, version: to.version }), wrapped.kekId),
    salt: Buffer.from(core.deps.randomBytes(COMMITMENT_SALT_BYTES)).toString('base64'),
    holders: [],
    ...(digests === undefined ? {} : { digests }),
  };
}

/** One batch: the version, what finds it, and the count; from here on it exists. */
function commitOps(
  core: StoreCore,
  change: {
    readonly head: HeadEntry | undefined;
    readonly entry: VersionEntry;
    readonly inline: Uint8Array | undefined;
  },
): IndexOp[] {
  const { keys } = core;
  const { head: old, entry, inline } = change;
  const { recordId, version, root, labels } = entry;
  const seq = old?.seq ?? core.takeSeq();
  const head: HeadEntry = { v: 1, recordId, seq, latest: version, labels };
  const put = (key: Uint8Array, value: object): IndexOp => ({ type: 'put', key, value: encodeEntry(value) });
  const ops: IndexOp[] = [
    put(keys.head(recordId), head),
    put(keys.version(recordId, version), entry),
    put(keys.ofCid(KIND.root, root), { recordId, version }),
    put(keys.ofVersion(KIND.unanchored, recordId, version), { recordId, version }),
  ];
  if (core.options.replicas > 0)
    ops.push(put(keys.ofVersion(KIND.underReplicated, recordId, version), { recordId, version }));
  if (inline === undefined) ops.push({ type: 'del', key: keys.ofCid(KIND.garbage, root) });
  else ops.push({ type: 'put', key: keys.ofCid(KIND.inlineBlock, root), value: inline });
  for (const label of old?.labels ?? []) {
    if (!labels.includes(label)) ops.push({ type: 'del', key: keys.listing(label, seq) });
  }
  for (const label of [undefined, ...labels]) ops.push(put(keys.listing(label, seq), { recordId }));
  const delta = {
    records: old === undefined ? 1 : 0,
    versions: 1,
    bytes: entry.bytes,
    nextSeq: seq + 1,
  };
  ops.push({ type: 'count', delta });
  return ops;
}
