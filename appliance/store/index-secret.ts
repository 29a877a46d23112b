import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { diskError, isDiskFull } from '../durable-file.ts';
import type { StoreFolders } from './core.ts';
import { rekeyIndex, removeFormer, secretOf, settlePlaces } from './index-rekey.ts';
import type { StoreDeps, StoreKeys } from './needs.ts';

interface Opening {
  readonly deps: StoreDeps;
  readonly folders: StoreFolders;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
}

/** Of an index that is looked at and not changed: the secret that it is sealed by. The caller wipes it. */
export async function findIndexSecret(
  folder: string,
  keys: Pick<StoreKeys, 'derive' | 'pending'>,
  crypto: EnvelopeCrypto,
): Promise<Uint8Array> {
  const [current, pending] = [keys.derive('index'), keys.pending('index')];
  try {
    return Uint8Array.from(await secretOf(folder, { current, pending }, crypto));
  } finally {
    for (const secret of [current, pending]) secret?.fill(0);
  }
}

/**
 * The secret that the index is sealed by, before it is opened. Where a new one is pending, the index is sealed anew by it here, and the
 * key list is told. What stands in the way of that, a full disk or a damaged value, leaves the index under the secret that it has: a
 * later start tries again.
 */
export async function currentSecret(opening: Opening): Promise<Uint8Array> {
  const { deps, folders } = opening;
  const { keys, crypto, settleIndex } = deps;
  const folder = folders.index;
  const pending = keys.pending('index');
  if (pending === undefined) {
    await removeFormer(folder);
    return keys.derive('index');
  }
  try {
    await settlePlaces(folder);
    const secret = await findIndexSecret(folder, keys, crypto);
    if (settleIndex === undefined) return secret;
    const isNew = Buffer.from(secret.buffer, secret.byteOffset, secret.length).equals(pending);
    if (!isNew && !(await isSealedAnew(opening, { from: secret, to: pending }))) return secret;
    secret.fill(0);
    await settle(opening, settleIndex);
    return Uint8Array.from(pending);
  } finally {
    pending.fill(0);
  }
}

async function isSealedAnew(
  { deps, folders, signal, onStep }: Opening,
  secrets: { readonly from: Uint8Array; readonly to: Uint8Array },
): Promise<boolean> {
  const { crypto, randomBytes, log } = deps;
  const folder = folders.index;
  const onProgress = (entries: number): void => {
    onStep(`sealing its index by the new key: ${entries} entries`);
    log.info({ entries }, 'sealing the index by the new key');
  };
  onProgress(0);
  try {
    const entries = await rekeyIndex({ folder, ...secrets, crypto, randomBytes, onProgress, signal });
    log.info({ entries }, 'the index is sealed by the new key');
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const passing = isNectarError(error, 'STORE_INDEX_CORRUPT') || error instanceof RangeError || isDiskFull(error);
    if (!passing) throw diskError(error, folder);
    log.warn({ err: error }, 'the index stays under the key that it has');
    return false;
  }
}

/** A list that cannot be written now names the secret as pending still: the next start finds the index sealed by it. */
async function settle({ deps, folders }: Opening, settleIndex: () => Promise<void>): Promise<void> {
  try {
    await settleIndex();
    await removeFormer(folders.index);
  } catch (error) {
    deps.log.warn({ err: error }, 'the key list does not know of the new key of the index yet');
  }
}
