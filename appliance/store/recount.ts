import type { StoreCore } from './core.ts';
import { decodeEntry, type HeadEntry, type StatsDelta, type VersionEntry } from './entries.ts';
import { KIND, kindRange, listingSeq } from './index-keys.ts';

/** The counters, from the entries that they count. */
export async function recountStats(core: StoreCore): Promise<Required<StatsDelta>> {
  const counted = { records: 0, versions: 0, bytes: 0, heldBytes: 0, nextSeq: 0, idempotencyKeys: 0, anchored: 0 };
  const ignore = (): void => undefined;
  // A place in the listings counts as taken whether its value and its head open or not.
  const takePlace = (key: Uint8Array): void => {
    counted.nextSeq = Math.max(counted.nextSeq, listingSeq(key) + 1);
  };
  for await (const { key } of core.db.range(kindRange(KIND.listing), takePlace)) takePlace(key);
  for await (const { value } of core.db.range(kindRange(KIND.head), ignore)) {
    const { seq, shredded } = decodeEntry<HeadEntry>(value);
    counted.nextSeq = Math.max(counted.nextSeq, seq + 1);
    if (shredded === undefined) counted.records += 1;
  }
  for await (const { value } of core.db.range(kindRange(KIND.version), ignore)) {
    const { bytes, anchor } = decodeEntry<VersionEntry>(value);
    counted.versions += 1;
    counted.bytes += bytes;
    if (anchor !== undefined) counted.anchored += 1;
  }
  for await (const { value } of core.db.range(kindRange(KIND.heldOwner), ignore))
    counted.heldBytes += decodeEntry<{ bytes: number }>(value).bytes;
  for await (const _ of core.db.range(kindRange(KIND.idempotency), ignore)) counted.idempotencyKeys += 1;
  return counted;
}
