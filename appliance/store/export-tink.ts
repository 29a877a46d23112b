import type { RecordId } from '../../protocol/brand.ts';
import { blobAad } from '../../protocol/envelope/aad.ts';
import { blobBytes } from '../../protocol/envelope/format.ts';
import { tinkKeyset } from '../../protocol/envelope/tink-keyset.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { createBlockSource } from './block-source.ts';
import { isDagPb } from './cid.ts';
import { getVersion, type StoreCore } from './core.ts';
import { walkDag } from './dag-walk.ts';
import { type VersionEntry, wrappedDek } from './entries.ts';
import type { TinkExport, TinkExportOptions } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { recordPatients } from './record-patients.ts';

/**
 * One half of what opens a version with Tink alone: the sealed blob as it is, or the keyset that opens it. The first piece is
 * there and good, and the audit record is durable, before this resolves.
 */
export async function exportTink(
  core: StoreCore,
  request: {
    readonly id: RecordId;
    readonly options: TinkExportOptions;
    readonly context: AccessContext;
    readonly signal: AbortSignal;
  },
): Promise<TinkExport> {
  const { options, context } = request;
  const entry = await getVersion(core, request.id, options.version);
  const { recordId, version } = entry;
  const signal = AbortSignal.any([request.signal, core.signal]);
  const about = { type: 'record.export', context, recordId, version, ...recordPatients(entry.labels) } as const;
  const detail = { format: 'tink', ...(options.part === 'keyset' && { with: 'key' }) };
  const pieces = options.part === 'keyset' ? keyset(core, entry) : blob(core, { entry, context, signal });
  const first = await pieces.next().catch(async (error: unknown) => {
    const code = isNectarError(error) ? error.code : 'NODE_INTERNAL';
    await core.deps.audit.append({ ...about, outcome: 'failure', detail: { ...detail, code } });
    throw error;
  });
  const { index: auditLeaf } = await core.deps.audit
    .append({ ...about, outcome: 'success', detail })
    .catch((error: unknown) => {
      if (options.part === 'keyset') first.value?.fill(0);
      throw error;
    });
  return {
    recordId,
    version,
    blobBytes: blobBytes(entry.bytes),
    associatedData: Buffer.from(blobAad({ nodeId: core.options.nodeId, recordId, version })).toString('hex'),
    auditLeaf,
    body: body(first, pieces),
  };
}

/** In one piece, which the reader wipes. */
async function* keyset(core: StoreCore, entry: VersionEntry): AsyncGenerator<Uint8Array, undefined> {
  const { recordId, version } = entry;
  const dek = core.deps.keys.unwrapDek(wrappedDek(entry), { recordId, version });
  const made = tinkKeyset(dek);
  dek.fill(0);
  yield made;
}

/** The leaves in their order, each checked against its CID. */
async function* blob(
  core: StoreCore,
  of: { readonly entry: VersionEntry; readonly context: AccessContext; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, undefined> {
  const give = core.uses.take(of.entry.root);
  try {
    const source = createBlockSource(core, of);
    for await (const cid of walkDag(of.entry.root, (node) => source.loadChecked(node))) {
      if (!isDagPb(cid)) yield await source.loadChecked(cid);
    }
  } finally {
    give();
  }
}

async function* body(
  first: IteratorResult<Uint8Array, undefined>,
  rest: AsyncGenerator<Uint8Array, undefined>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return(undefined);
  }
}
