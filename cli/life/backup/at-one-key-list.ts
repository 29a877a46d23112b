import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../../protocol/errors.ts';

const ATTEMPTS = 40;
const PAUSE_MS = 25;

/**
 * Pins what must fit the key list: the log, and the list itself. A rotation replaces the list and then says so in the log; so if the
 * list is the same before and behind, the pinned log tells of this one, or of the one before: what a crash leaves, and a start explains.
 *
 * @throws NectarError BACKUP_SOURCE_UNSTABLE when the list keeps changing
 */
export async function atOneKeyList<T>(
  readKeys: () => Promise<Uint8Array | undefined>,
  pin: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await readKeys();
    const pinned = await pin();
    if (isSame(before, await readKeys())) return pinned;
    await sleep(PAUSE_MS);
  }
  throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'keys.json' });
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return Buffer.from(one ?? []).equals(Buffer.from(other ?? []));
}
