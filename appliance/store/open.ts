import type { RecordId } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { readBlob } from './blob-reader.ts';
import { getVersion, type StoreCore } from './core.ts';
import { recordMeta, type VersionEntry } from './entries.ts';
import type { OpenedRecord, OpenOptions, RecordMeta } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { recordPatients } from './record-patients.ts';

interface OpenRequest {
  readonly id: RecordId;
  readonly options: OpenOptions;
  readonly context: AccessContext;
  readonly signal: AbortSignal;
}

/**
 * Opens a record for reading: the first segment is there and authentic, and the audit record is durable, before this
 * resolves. A later segment that is bad ends the body with an error; no unauthenticated byte is ever handed out.
 */
export async function openRecord(core: StoreCore, request: OpenRequest): Promise<OpenedRecord> {
  const { id, options } = request;
  const entry = await getVersion(core, id, options.version);
  const give = core.uses.take(entry.root);
  try {
    return await openEntry(core, request, { entry, give });
  } catch (error) {
    give();
    throw error;
  }
}

async function openEntry(
  core: StoreCore,
  request: OpenRequest,
  { entry, give }: { readonly entry: VersionEntry; readonly give: () => void },
): Promise<OpenedRecord> {
  const { options, context } = request;
  const { start, end } = resolveRange(options.range, entry.bytes);
  const { recordId, version } = entry;
  const about = { context, recordId, version, ...recordPatients(entry.labels) };
  const event = { type: 'record.read', ...about, detail: { start, end } } as const;
  const signal = AbortSignal.any([request.signal, core.signal]);
  const segments = readBlob(core, { entry, context, signal, start, end });
  const first = await segments.next().catch(async (error: unknown) => {
    const code = isNectarError(error) ? error.code : 'NODE_INTERNAL';
    await core.deps.audit.append({ ...event, outcome: 'failure', detail: { code } });
    throw error;
  });
  const { index: auditLeaf } = await core.deps.audit.append({ ...event, outcome: 'success' });
  return {
    meta: recordMeta(entry, core.holders.counts),
    start,
    end,
    body: body(core, { first, rest: segments, give }),
    auditLeaf,
  };
}

/** What is known of a record; audited like a read, for names and labels are the owner's data too. */
export async function headRecord(
  core: StoreCore,
  request: { readonly id: RecordId; readonly version: number | undefined; readonly context: AccessContext },
): Promise<RecordMeta> {
  const entry = await getVersion(core, request.id, request.version);
  const { recordId, version } = entry;
  const { context } = request;
  await core.deps.audit.append({
    type: 'record.read',
    outcome: 'success',
    context,
    recordId,
    version,
    ...recordPatients(entry.labels),
    detail: { access: 'metadata' },
  });
  return recordMeta(entry, core.holders.counts);
}

async function* body(
  core: StoreCore,
  of: {
    readonly first: IteratorResult<Uint8Array>;
    readonly rest: AsyncGenerator<Uint8Array>;
    readonly give: () => void;
  },
): AsyncGenerator<Uint8Array> {
  const { first, rest, give } = of;
  try {
    for (let next = first; next.done !== true; next = await rest.next()) {
      core.metrics.openedBytes.inc(next.value.length);
      if (next.value.length > 0) yield next.value;
    }
  } finally {
    give();
    await rest.return(undefined);
  }
}

/** An end past the record is cut to it, as RFC 9110 14.1.2 has it. */
function resolveRange(range: OpenOptions['range'], bytes: number): { start: number; end: number } {
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? bytes, bytes);
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  const outside = range !== undefined && bytes > 0 && start >= bytes;
  if (!whole || start < 0 || end < start || outside) throw new NectarError('STORE_RANGE_INVALID', { start, bytes });
  return { start, end };
}
