import { hash } from 'node:crypto';
import type { Hex } from '../../../protocol/brand.ts';
import type { Receipt } from '../../../protocol/rollup/receipt.ts';

/** What a log is found by: its address stands at place 0, its topics at places 1 to 4. */
export interface WantedItems {
  readonly place: number;
  /** Any of these. */
  readonly values: ReadonlySet<Hex>;
}

/** 32 bits of an item at a place. Keyed, so that nobody can make logs whose items look like those of others. */
export type Fingerprint = (place: number, item: Hex) => number;

/** @param key 32 bytes, this database's own */
export function createFingerprint(key: Uint8Array): Fingerprint {
  return (place, item) => {
    const bytes = Buffer.concat([key, Uint8Array.of(place), Buffer.from(item.slice(2), 'hex')]);
    return hash('sha256', bytes, 'buffer').readUInt32BE(0);
  };
}

/** The fingerprints of all that the logs of a block can be found by; each once. */
export function fingerprintsOf(receipts: readonly Receipt[], fingerprint: Fingerprint): number[] {
  const places: Set<Hex>[] = Array.from({ length: 5 }, () => new Set<Hex>());
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      places[0]?.add(address);
      for (const [i, topic] of topics.entries()) places[i + 1]?.add(topic);
    }
  }
  const found = places.flatMap((items, place) => Array.from(items, (item) => fingerprint(place, item)));
  return Array.from(new Set(found));
}
