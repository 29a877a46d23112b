import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import {
  createValueOpener,
  createValueSealer,
  SEALED_VALUE_NONCE_BYTES,
  SEALED_VALUE_SALT_BYTES,
  type ValueSealer,
} from '../../protocol/envelope/sealed-value.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { syncFolder, syncTree } from '../durable-file.ts';
import { createIndexKeys, createRenaming } from './index-keys.ts';
import { openLevel } from './level.ts';
import { buildSealedIndex } from './sealed-index.ts';

/** Entries read at a time; their values share a salt. */
const BATCH = 512;
/** Entries looked at to learn which key they are sealed by: one that opens is enough. */
const MAX_TRIED = 1_000;
const REPORT_EVERY = 50_000;

/** The index that is being made beside the one in use, and the one that was in use. */
const beside = (folder: string): { readonly next: string; readonly former: string } => ({
  next: `${folder}-next`,
  former: `${folder}-former`,
});

export interface IndexSecrets {
  readonly current: Uint8Array;
  readonly pending: Uint8Array | undefined;
}

/**
 * Which of two secrets an index is sealed by: the process may have ended after the index had changed and before the key list had. The
 * current one for an index none of whose entries opens by either, which its opening then says.
 */
export async function secretOf(
  folder: string,
  { current, pending }: IndexSecrets,
  crypto: EnvelopeCrypto,
): Promise<Uint8Array> {
  if (pending === undefined || !(await holdsIndex(folder))) return current;
  const openers = [current, pending].map((secret) =>
    createValueOpener(crypto, createIndexKeys(crypto, secret).valueKey),
  );
  const db = await openLevel(folder).catch((error: unknown) => {
    if (isNectarError(error, 'STORE_INDEX_CORRUPT')) return undefined;
    throw error;
  });
  if (db === undefined) return current;
  try {
    for await (const [place, sealed] of db.iterator({ limit: MAX_TRIED })) {
      const [byCurrent, byPending] = openers.map((opener) => opener({ place, sealed }) !== undefined);
      if (byCurrent === true) return current;
      if (byPending === true) return pending;
    }
    return current;
  } finally {
    await db.close();
  }
}

export interface IndexRekey {
  readonly folder: string;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Hears how many entries are sealed anew. */
  readonly onProgress: (entries: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes the index anew, beside the one that is there, every value sealed and every entry named by another secret; then the two change
 * places. Nobody has it open meanwhile. An end of the process at any moment leaves one of both whole under its name, or both beside it
 * (`settlePlaces`). Resolves with the number of entries.
 *
 * @throws NectarError STORE_INDEX_CORRUPT for an index with a value that does not open: what it was would not be known any more;
 * RangeError for a key that is none
 */
export async function rekeyIndex(request: IndexRekey): Promise<number> {
  const { folder } = request;
  const { next, former } = beside(folder);
  const isHeadless = !(await holdsIndex(folder)) && (await namesIn(folder)).length > 0;
  // LevelDB would take it for a new one, and remove what is there.
  if (isHeadless) throw new NectarError('STORE_INDEX_CORRUPT', { entry: 'database' });
  await rm(next, { recursive: true, force: true });
  try {
    const entries = await build(request, next);
    // LevelDB writes through the kernel's cache: a loss of power behind the change of places would find half of it.
    await syncTree(next);
    await rename(folder, former);
    await rename(next, folder);
    await syncFolder(join(folder, '..'));
    return entries;
  } catch (error) {
    if (await holdsIndex(folder)) await rm(next, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** Ends a change of places that the end of the process cut off: the new index is whole once the former one has been moved away. */
export async function settlePlaces(folder: string): Promise<void> {
  const { next, former } = beside(folder);
  if ((await holdsIndex(folder)) || !(await holdsIndex(former))) return;
  await rm(folder, { recursive: true, force: true });
  await rename((await holdsIndex(next)) ? next : former, folder);
  await syncFolder(join(folder, '..'));
}

/** What is left of a change of places, once the index has its own and the key list says so. */
export async function removeFormer(folder: string): Promise<void> {
  if (!(await holdsIndex(folder))) return;
  for (const left of Object.values(beside(folder))) await rm(left, { recursive: true, force: true });
}

async function build(request: IndexRekey, next: string): Promise<number> {
  const { folder, from, to, crypto, signal } = request;
  const rename = createRenaming(crypto, { from, to });
  const [old, own] = [createIndexKeys(crypto, from), createIndexKeys(crypto, to)];
  const opener = createValueOpener(crypto, old.valueKey);
  const db = await openLevel(folder);
  let entries = 0;
  try {
    const builder = await buildSealedIndex(next);
    try {
      const iterator = db.iterator();
      for (let batch = await iterator.nextv(BATCH); batch.length > 0; batch = await iterator.nextv(BATCH)) {
        signal.throwIfAborted();
        const seal = sealerOf(request, own.valueKey);
        for (const [place, sealed] of batch) {
          const value = opener({ place, sealed });
          if (value === undefined) throw new NectarError('STORE_INDEX_CORRUPT', { entry: `kind ${place[0]}` });
          const key = rename(place);
          await builder.put(key, seal(key, value));
          entries += 1;
          if (entries % REPORT_EVERY === 0) request.onProgress(entries);
        }
      }
      await iterator.close();
    } finally {
      await builder.close();
    }
    return entries;
  } finally {
    await db.close();
  }
}

function sealerOf({ crypto, randomBytes }: IndexRekey, valueKey: Uint8Array) {
  const seal: ValueSealer = createValueSealer(crypto, valueKey, randomBytes(SEALED_VALUE_SALT_BYTES));
  return (place: Uint8Array, value: Uint8Array): Uint8Array =>
    seal({ place, value, nonce: randomBytes(SEALED_VALUE_NONCE_BYTES) });
}

async function holdsIndex(folder: string): Promise<boolean> {
  return (await namesIn(folder)).includes('CURRENT');
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
