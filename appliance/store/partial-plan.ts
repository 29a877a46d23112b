import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecordId } from '../../protocol/brand.ts';
import { createFile, makeFolder, replaceFile } from '../durable-file.ts';
import type { StoreCore } from './core.ts';
import { storedDek } from './entries.ts';
import type { PutInput, PutReceipt } from './interfaces.ts';
import { findEnd, openPiece, type PieceSecret, type PiecesEnd, sealPiece } from './sealed-pieces.ts';

/**
 *   uploads/ID/plan.json      whose it is and what it becomes, sealed under the upload's own key; the key, wrapped by a KEK
 *   uploads/ID/pieces         what has come of it, sealed (sealed-pieces.ts)
 *   uploads/ID/receipt.json   once it is a record
 */
const PLAN_PLACE = 'plan';
const MODE = 0o600;
const MAX_PLAN_BYTES = 64 * 1024;

/** What was promised when the upload began. */
export interface Plan {
  readonly input: PutInput;
  readonly bytes: number;
  /** The subject whose tokens may go on with it. */
  readonly owner: string;
}

export interface PartialUpload {
  readonly id: string;
  readonly plan: Plan;
  wrapped: { readonly kekId: string; readonly sealed: Uint8Array };
  end: PiecesEnd;
  /** When it was last added to, in milliseconds since 1970. */
  touchedAt: number;
  receipt: PutReceipt | undefined;
  /** The append that runs; the next one ends it. */
  running: { readonly stop: AbortController; readonly done: Promise<unknown> } | undefined;
  completing: Promise<PutReceipt> | undefined;
}

export function uploadFolder(core: StoreCore, id: string): string {
  return join(dirname(core.folders.blocks), 'uploads', id);
}

/** Runs with the upload's key, which is wiped afterwards. */
export async function withSecret<T>(
  core: StoreCore,
  { id, wrapped }: Pick<PartialUpload, 'id' | 'wrapped'>,
  work: (secret: PieceSecret) => Promise<T>,
): Promise<T> {
  const dek = core.deps.keys.unwrapDek(wrapped, contextOf(id));
  try {
    return await work({ dek, id });
  } finally {
    dek.fill(0);
  }
}

/** Makes the folder of a new upload, durably. */
export async function createPartial(core: StoreCore, id: string, plan: Plan): Promise<PartialUpload> {
  const folder = uploadFolder(core, id);
  const { dek, wrapped } = core.deps.keys.newDek(contextOf(id));
  try {
    const text = Buffer.from(JSON.stringify(plan));
    const sealed = sealPiece(text, PLAN_PLACE, { dek, id }, core.deps);
    text.fill(0);
    await makeFolder(folder);
    await createFile(join(folder, 'pieces'), new Uint8Array(0), MODE);
    const file = { v: 1, dek: storedDek(wrapped, undefined), plan: Buffer.from(sealed).toString('base64') };
    await createFile(join(folder, 'plan.json'), JSON.stringify(file), MODE);
  } finally {
    dek.fill(0);
  }
  const [end, touchedAt] = [{ offset: 0, position: 0 }, core.deps.now().getTime()];
  return { id, plan, wrapped, end, touchedAt, receipt: undefined, running: undefined, completing: undefined };
}

/** Wraps the upload's key with the current KEK. */
export async function rewrapPartial(core: StoreCore, upload: PartialUpload): Promise<void> {
  const wrapped = core.deps.keys.rewrapDek(upload.wrapped, contextOf(upload.id));
  if (wrapped.kekId === upload.wrapped.kekId) return;
  const path = join(uploadFolder(core, upload.id), 'plan.json');
  const file = JSON.parse((await readSmall(path)).toString('utf8'));
  await replaceFile(path, JSON.stringify({ ...file, dek: storedDek(wrapped, undefined) }), MODE);
  upload.wrapped = wrapped;
}

/** The uploads that an earlier run left. One that no longer opens (its KEK is destroyed, a file is damaged) goes when its time is over. */
export async function loadPartials(core: StoreCore): Promise<PartialUpload[]> {
  const ids = await readdir(uploadFolder(core, '')).catch(() => []);
  const loaded: PartialUpload[] = [];
  for (const id of ids) {
    try {
      loaded.push(await loadPartial(core, id));
    } catch (error) {
      core.deps.log.warn({ upload: id, err: error }, 'an unfinished upload does not open');
      const { mtimeMs } = await stat(uploadFolder(core, id));
      if (mtimeMs + core.options.partialUploadTtlMs < core.deps.now().getTime()) await removePartial(core, id);
    }
  }
  return loaded;
}

export async function removePartial(core: StoreCore, id: string): Promise<void> {
  await rm(uploadFolder(core, id), { recursive: true, force: true }).catch(() => undefined);
}

/** From here on it is a record: the pieces go, the receipt stays for who asks. */
export async function finishPartial(core: StoreCore, upload: PartialUpload, receipt: PutReceipt): Promise<void> {
  const folder = uploadFolder(core, upload.id);
  await replaceFile(join(folder, 'receipt.json'), JSON.stringify(receipt), MODE);
  upload.receipt = receipt;
  await rm(join(folder, 'pieces'), { force: true });
}

async function loadPartial(core: StoreCore, id: string): Promise<PartialUpload> {
  const folder = uploadFolder(core, id);
  const file = JSON.parse((await readSmall(join(folder, 'plan.json'))).toString('utf8'));
  const wrapped = { kekId: String(file.dek.kekId), sealed: new Uint8Array(Buffer.from(file.dek.sealed, 'base64')) };
  const plan = await withSecret(core, { id, wrapped }, async (secret) => {
    const text = openPiece(Buffer.from(file.plan, 'base64'), PLAN_PLACE, secret, core.deps.crypto);
    if (text === undefined) throw new Error('the plan does not authenticate');
    return JSON.parse(Buffer.from(text).toString('utf8')) as Plan;
  });
  const receipt = await readSmall(join(folder, 'receipt.json')).then(
    (text) => JSON.parse(text.toString('utf8')) as PutReceipt,
    () => undefined,
  );
  const pieces = join(folder, 'pieces');
  const end =
    receipt === undefined
      ? await withSecret(core, { id, wrapped }, (secret) => findEnd(pieces, secret, core.deps.crypto))
      : { offset: plan.bytes, position: 0 };
  const { mtimeMs } = await stat(receipt === undefined ? pieces : join(folder, 'receipt.json'));
  return { id, plan, wrapped, end, touchedAt: mtimeMs, receipt, running: undefined, completing: undefined };
}

async function readSmall(path: string): Promise<Buffer> {
  if ((await stat(path)).size > MAX_PLAN_BYTES) throw new RangeError('it is too large');
  return readFile(path);
}

/** An upload's id is random like a record's, and no record's: its key opens nothing else. */
function contextOf(id: string): { recordId: RecordId; version: number } {
  return { recordId: id as RecordId, version: 1 };
}
