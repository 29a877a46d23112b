import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyStore } from '../../../appliance/keys/key-store-schema.ts';
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

/**
 * What a key list says of the key of the index, sealed as it is. A copy of the index that was begun under one and a list that has
 * another do not fit together: the node has just started with a new key.
 */
export function indexKeyIn(keys: Uint8Array | undefined): string {
  try {
    const { purposes } = JSON.parse(Buffer.from(keys ?? []).toString('utf8')) as Partial<KeyStore>;
    return JSON.stringify(purposes?.find(({ purpose }) => purpose === 'index')) ?? '';
  } catch {
    return '';
  }
}

/** @throws NectarError BACKUP_SOURCE_UNSTABLE for a list with another key of the index than before */
export function requireIndexKey(before: string, keys: Uint8Array | undefined): void {
  if (indexKeyIn(keys) !== before) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'keys.json' });
}
