import type { StoreCore } from './core.ts';
import { decodeEntry, type VersionEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';
import { isOlder } from './rekey-version.ts';

/** Entries read at a time: a scan that stays open for hours would keep every replaced value in the files. */
const CHUNK = 256;

/** Every version entry, in chunks. */
export async function* versions(core: StoreCore, broken: (key: Uint8Array) => void): AsyncGenerator<VersionEntry> {
  const range = kindRange(KIND.version);
  for (let after: Uint8Array | undefined; ; ) {
    let read = 0;
    const entries: VersionEntry[] = [];
    const onBroken = (key: Uint8Array): void => {
      [read, after] = [read + 1, key];
      broken(key);
    };
    const from = after === undefined ? {} : { gt: after };
    for await (const { key, value } of core.db.range({ ...range, ...from, limit: CHUNK }, onBroken)) {
      [read, after] = [read + 1, key];
      entries.push(decodeEntry<VersionEntry>(value));
    }
    yield* entries;
    if (read < CHUNK) return;
  }
}

/** How many versions there are, and how many have a key that is new enough. */
export async function measure(
  core: StoreCore,
  target: string,
): Promise<{ total: number; done: number; bytes: number }> {
  const progress = { total: 0, done: 0, bytes: 0 };
  for await (const version of versions(core, () => undefined)) {
    progress.total += 1;
    if (!isOlder(version, target)) progress.done += 1;
  }
  return progress;
}
