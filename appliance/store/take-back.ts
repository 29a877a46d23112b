import type { RecordId } from '../../protocol/brand.ts';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import {
  countAnchored,
  decodeEntry,
  encodeEntry,
  type GarbageEntry,
  type HeadEntry,
  type VersionEntry,
} from './entries.ts';
import { type IndexDb, type IndexOp, openIndexDb } from './index-db.ts';
import { createIndexKeys, type IndexKeys, KIND, kindRange } from './index-keys.ts';

export interface TakeBack {
  /** Of the index of a store that does not run. */
  readonly folder: string;
  readonly indexKey: Uint8Array;
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface TakenBack {
  readonly versions: number;
  /** Of them, versions of records that did not exist then. */
  readonly records: number;
  /** Leaves that the index knew of. */
  readonly known: number;
}

/**
 * Takes an index back to the records of an earlier moment: versions whose audit leaf is not among the first `logSize` go, the one before
 * is the latest again. What was destroyed since stays destroyed: its entries are not there to come back. Nothing is acknowledged here and
 * the log is not touched; a store that starts on it then removes the blocks.
 */
export async function takeBackIndex(options: TakeBack, logSize: number): Promise<TakenBack> {
  const { folder, indexKey, crypto, randomBytes } = options;
  const keys = createIndexKeys(crypto, indexKey);
  const db = await openIndexDb({ folder, valueKey: keys.valueKey, crypto, randomBytes, statsKey: keys.stats });
  try {
    const later = new Map<RecordId, VersionEntry[]>();
    for await (const { value } of db.range(kindRange(KIND.version))) {
      const entry = decodeEntry<VersionEntry>(value);
      if (entry.auditLeaf >= logSize) later.set(entry.recordId, [...(later.get(entry.recordId) ?? []), entry]);
    }
    const taken = { versions: 0, records: 0, known: db.stats().settled + 1 };
    for (const [recordId, versions] of later) {
      const gone = await takeBackRecord({ db, keys }, recordId, versions);
      taken.known = Math.max(taken.known, ...versions.map(({ auditLeaf }) => auditLeaf + 1));
      taken.versions += versions.length;
      taken.records += gone ? 1 : 0;
    }
    // What the index knew of the log goes with it: the log that it stands on now has these leaves.
    await db.commit([{ type: 'set', stats: { settled: logSize - 1, auditLeaf: -1, leafHash: '' } }]);
    return taken;
  } finally {
    await db.close();
  }
}

interface Index {
  readonly db: IndexDb;
  readonly keys: IndexKeys;
}

/** True when nothing is left of it. */
async function takeBackRecord({ db, keys }: Index, id: RecordId, later: readonly VersionEntry[]): Promise<boolean> {
  const found = await db.get(keys.head(id));
  if (found === undefined) return false;
  const head = decodeEntry<HeadEntry>(found);
  const del = (key: Uint8Array): IndexOp => ({ type: 'del', key });
  const ops: IndexOp[] = later.flatMap(({ version, root, inline }) => {
    const garbage: GarbageEntry = { root };
    return [
      del(keys.version(id, version)),
      del(keys.ofVersion(KIND.unanchored, id, version)),
      del(keys.ofVersion(KIND.underReplicated, id, version)),
      del(keys.ofCid(KIND.root, root)),
      inline
        ? del(keys.ofCid(KIND.inlineBlock, root))
        : ({ type: 'put', key: keys.ofCid(KIND.garbage, root), value: encodeEntry(garbage) } as const),
    ];
  });
  const latest = head.latest - later.length;
  const before = latest === 0 ? undefined : await db.get(keys.version(id, latest));
  const labels = before === undefined ? [] : decodeEntry<VersionEntry>(before).labels;
  const listed = before === undefined ? [] : [undefined, ...labels];
  for (const label of [undefined, ...head.labels])
    if (!listed.includes(label)) ops.push(del(keys.listing(label, head.seq)));
  for (const label of listed)
    ops.push({ type: 'put', key: keys.listing(label, head.seq), value: encodeEntry({ recordId: id }) });
  if (before === undefined) ops.push(del(keys.head(id)));
  else ops.push({ type: 'put', key: keys.head(id), value: encodeEntry({ ...head, latest, labels }) });
  const bytes = later.reduce((sum, version) => sum + version.bytes, 0);
  const records = before === undefined ? -1 : 0;
  const anchored = -countAnchored(later);
  ops.push({ type: 'count', delta: { records, versions: -later.length, bytes: -bytes, anchored } });
  await db.commit(ops);
  return before === undefined;
}
