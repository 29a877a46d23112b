import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { decodeEntry, type VersionEntry } from './entries.ts';
import { openIndexDb } from './index-db.ts';
import { createIndexKeys, KIND } from './index-keys.ts';
import type { VersionRef } from './interfaces.ts';

export interface SampleVersions {
  /** Of the index of a store that does not run. */
  readonly folder: string;
  readonly indexKey: Uint8Array;
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly count: number;
  /** 0 to below `limit`, evenly. */
  readonly pick: (limit: number) => number;
}

export interface Sampled {
  readonly versions: readonly VersionRef[];
  /** All entries of the index were opened; so many do not open where they are. */
  readonly entries: number;
  readonly broken: number;
}

/** Opens every entry of an index, and picks some versions, each as likely as any other (reservoir sampling). */
export async function sampleVersions(options: SampleVersions): Promise<Sampled> {
  const { folder, indexKey, crypto, randomBytes, count, pick } = options;
  const keys = createIndexKeys(crypto, indexKey);
  const db = await openIndexDb({ folder, valueKey: keys.valueKey, crypto, randomBytes, statsKey: keys.stats });
  const versions: VersionRef[] = [];
  let [seen, entries, broken] = [0, 0, 0];
  try {
    const whole = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) };
    const onBroken = (): void => {
      broken += 1;
    };
    for await (const { key, value } of db.range(whole, onBroken)) {
      entries += 1;
      if (key[0] !== KIND.version) continue;
      const { recordId, version } = decodeEntry<VersionEntry>(value);
      seen += 1;
      const at = versions.length < count ? versions.length : pick(seen);
      if (at < count) versions[at] = { recordId, version };
    }
    return { versions, entries: entries + broken, broken };
  } finally {
    await db.close();
  }
}
