import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { diskError, requireFree } from '../durable-file.ts';
import type { StoreCore } from './core.ts';
import { systemContext } from './core.ts';
import type { PartialUploads, PutInput, UploadState } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import {
  createPartial,
  finishPartial,
  loadPartials,
  type PartialUpload,
  removePartial,
  rewrapPartial,
  uploadFolder,
  withSecret,
} from './partial-plan.ts';
import { putRecord } from './put.ts';
import { checkPutInput } from './put-input.ts';
import { untilAborted } from './seal-stream.ts';
import { PIECE_BYTES, type PieceSecret, readPieces, sealPiece, UNSYNCED_PIECES, writePiece } from './sealed-pieces.ts';

const EXPIRY_CHECK_MS = 60_000;
/** A finished upload answers so long who asks what became of it. */
const RECEIPT_MS = 24 * 3_600_000;
/** What is on disk at the end: the pieces, and the record made of them. */
const COPIES = 2;
const ID_BYTES = 16;

export interface OpenPartialUploads extends PartialUploads {
  /** Wraps their keys with the current KEK, so that an older one can end. */
  rewrap(): Promise<void>;
  stop(): Promise<void>;
}

/** Uploads in several requests, across broken connections and restarts. Nothing of them is on disk that is not sealed. */
export async function openPartialUploads(core: StoreCore): Promise<OpenPartialUploads> {
  const uploads = new Map((await loadPartials(core)).map((upload) => [upload.id, upload]));
  const timer = setInterval(() => void expire(core, uploads).catch(() => undefined), EXPIRY_CHECK_MS).unref();
  await expire(core, uploads);

  /** One of somebody else is not there. */
  const find = (id: string, { actor }: AccessContext): PartialUpload => {
    const upload = uploads.get(id);
    if (upload === undefined || upload.plan.owner !== actor.subject)
      throw new NectarError('STORE_UPLOAD_ABSENT', { upload: id });
    return upload;
  };

  return {
    async begin({ input, bytes }, context) {
      checkRoom(core, uploads, { bytes, owner: context.actor.subject });
      const checked = checkPutInput(input);
      await requireFree(core.folders.blocks, core.options.minFreeBytes + COPIES * bytes);
      const id = Buffer.from(core.deps.randomBytes(ID_BYTES)).toString('hex');
      await core.deps.audit.append({
        type: 'upload.begin',
        outcome: 'success',
        context,
        detail: { upload: id, bytes },
      });
      const upload = await createPartial(core, id, { input: checked, bytes, owner: context.actor.subject });
      uploads.set(id, upload);
      if (bytes === 0) await complete(core, upload, context);
      return stateOf(core, upload);
    },
    async append(id, { offset, body }, context, signal) {
      const upload = find(id, context);
      await interrupt(upload);
      if (offset !== upload.end.offset)
        throw new NectarError('STORE_UPLOAD_OFFSET', { upload: id, offset: upload.end.offset });
      if (upload.receipt === undefined && offset < upload.plan.bytes) await receive(core, upload, { body, signal });
      if (upload.end.offset === upload.plan.bytes) await complete(core, upload, context);
      return stateOf(core, upload);
    },
    async state(id, context) {
      const upload = find(id, context);
      await interrupt(upload);
      // All of it is here and it is no record yet: an offset at the end would say that it were.
      if (upload.end.offset === upload.plan.bytes) await complete(core, upload, context);
      return stateOf(core, upload);
    },
    async discard(id, context) {
      const upload = find(id, context);
      await interrupt(upload);
      await upload.completing?.catch(() => undefined);
      await drop(core, uploads, { upload, context, reason: 'asked' });
    },
    async rewrap() {
      for (const upload of uploads.values()) await rewrapPartial(core, upload);
    },
    async stop() {
      clearInterval(timer);
      for (const upload of uploads.values()) await interrupt(upload);
    },
  };
}

function stateOf({ options }: StoreCore, { id, plan, end, touchedAt, receipt }: PartialUpload): UploadState {
  const expiresAt = new Date(touchedAt + (receipt === undefined ? options.partialUploadTtlMs : RECEIPT_MS));
  return {
    id,
    offset: end.offset,
    bytes: plan.bytes,
    expiresAt: expiresAt.toISOString(),
    ...(receipt !== undefined && { receipt }),
  };
}

function checkRoom(
  { options }: StoreCore,
  uploads: ReadonlyMap<string, PartialUpload>,
  wanted: { readonly bytes: number; readonly owner: string },
): void {
  if (wanted.bytes > options.maxRecordBytes)
    throw new NectarError('STORE_RECORD_TOO_LARGE', { limitBytes: options.maxRecordBytes });
  const open = [...uploads.values()].filter(({ receipt }) => receipt === undefined);
  const own = open.filter(({ plan }) => plan.owner === wanted.owner);
  if (own.length >= options.maxPartialUploadsPerOwner)
    throw new NectarError('STORE_UPLOADS_FULL', { limit: options.maxPartialUploadsPerOwner });
  if (uploads.size >= options.maxPartialUploads)
    throw new NectarError('STORE_UPLOADS_FULL', { limit: options.maxPartialUploads });
}

/** A connection that broke may still be waited for here, while its client is back with another. */
async function interrupt(upload: PartialUpload): Promise<void> {
  upload.running?.stop.abort(new NectarError('STORE_UPLOAD_CONTINUED', { upload: upload.id }));
  await upload.running?.done.catch(() => undefined);
}

async function receive(
  core: StoreCore,
  upload: PartialUpload,
  source: { readonly body: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
): Promise<void> {
  const stop = new AbortController();
  const signals = [source.signal, core.signal, stop.signal];
  const done = withSecret(core, upload, (secret) => appendPieces(core, { upload, secret, body: source.body, signals }));
  upload.running = { stop, done };
  try {
    await done;
  } finally {
    upload.running = undefined;
  }
}

/** However the body ends, what has come of it is sealed and durable: that much the client need not send again. */
async function appendPieces(
  core: StoreCore,
  to: {
    readonly upload: PartialUpload;
    readonly secret: PieceSecret;
    readonly body: AsyncIterable<Uint8Array>;
    readonly signals: readonly AbortSignal[];
  },
): Promise<void> {
  const { upload, secret } = to;
  const file = await open(join(uploadFolder(core, upload.id), 'pieces'), 'r+');
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let filled = 0;
  let unsynced = 0;
  let end = upload.end;
  const seal = async (): Promise<void> => {
    if (filled === 0) return;
    await requireFree(core.folders.blocks, core.options.minFreeBytes);
    const plaintext = buffer.subarray(0, filled);
    end = await writePiece(file, plaintext, end, (place) => sealPiece(plaintext, place, secret, core.deps));
    filled = 0;
    if (++unsynced < UNSYNCED_PIECES) return;
    await file.datasync();
    unsynced = 0;
  };
  try {
    // What a crash left behind the last whole piece.
    await file.truncate(end.position);
    try {
      for await (const chunk of untilAborted(to.body, to.signals)) {
        if (end.offset + filled + chunk.length > upload.plan.bytes)
          throw new NectarError('STORE_RECORD_TOO_LARGE', { limitBytes: upload.plan.bytes });
        for (let at = 0; at < chunk.length; ) {
          const take = Math.min(chunk.length - at, PIECE_BYTES - filled);
          buffer.set(chunk.subarray(at, at + take), filled);
          filled += take;
          at += take;
          if (filled === PIECE_BYTES) await seal();
        }
      }
    } finally {
      await seal();
      await file.datasync();
      upload.end = end;
      upload.touchedAt = core.deps.now().getTime();
    }
  } catch (error) {
    throw diskError(error, core.folders.blocks);
  } finally {
    buffer.fill(0);
    await file.close();
  }
}

/** Once at a time, and not the request's to end: a client that leaves now finds a record when it is back. */
async function complete(core: StoreCore, upload: PartialUpload, context: AccessContext): Promise<void> {
  if (upload.receipt !== undefined) return;
  upload.completing ??= store(core, upload, context).finally(() => {
    upload.completing = undefined;
  });
  await upload.completing;
}

async function store(core: StoreCore, upload: PartialUpload, context: AccessContext) {
  const { id, plan } = upload;
  // A crash between the record and its receipt here makes no second record.
  const idempotency = {
    key: `partial upload ${id}`,
    facts: [],
    ttlMs: RECEIPT_MS,
    maxKeys: core.options.maxPartialUploads * COPIES,
  };
  const input: PutInput = { ...plan.input, idempotency };
  const receipt = await withSecret(core, upload, (secret) =>
    putRecord(core, {
      input,
      body: readPieces(join(uploadFolder(core, id), 'pieces'), upload.end, secret, core.deps.crypto),
      context,
      signal: core.signal,
    }),
  );
  upload.touchedAt = core.deps.now().getTime();
  await finishPartial(core, upload, receipt);
  return receipt;
}

async function expire(core: StoreCore, uploads: Map<string, PartialUpload>): Promise<void> {
  const now = core.deps.now().getTime();
  for (const upload of [...uploads.values()]) {
    if (upload.running !== undefined || upload.completing !== undefined) continue;
    if (Date.parse(stateOf(core, upload).expiresAt) > now) continue;
    await drop(core, uploads, { upload, context: systemContext(`expiry/${upload.id}`), reason: 'expired' });
  }
}

async function drop(
  core: StoreCore,
  uploads: Map<string, PartialUpload>,
  { upload, context, reason }: { upload: PartialUpload; context: AccessContext; reason: string },
): Promise<void> {
  const { id, receipt, plan, end } = upload;
  if (receipt === undefined) {
    const detail = { upload: id, reason, bytes: plan.bytes, offset: end.offset };
    await core.deps.audit.append({ type: 'upload.discard', outcome: 'success', context, detail });
  }
  uploads.delete(id);
  await removePartial(core, id);
}
