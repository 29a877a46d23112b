import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, encodeEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { Sharding } from './own-shards.ts';
import type { SegmentEntry, ShardEntry, ShardPlaceEntry } from './shard-entries.ts';

/** Which shards of which segments are where: entries of the index. */
export interface ShardMap {
  segments(root: Cid): Promise<SegmentEntry[]>;
  segment(root: Cid, number: number): Promise<SegmentEntry | undefined>;
  all(): AsyncGenerator<SegmentEntry>;
  /** By the id of one of its shards. */
  find(shard: Cid): Promise<{ readonly segment: SegmentEntry; readonly index: number } | undefined>;
  /** For a commit of the caller's. `before`: the entry that this one replaces. */
  put(segment: SegmentEntry, before?: SegmentEntry): IndexOp[];
  readonly removal: Sharding['removal'];
}

export function createShardMap(core: StoreCore): ShardMap {
  const { keys } = core;

  async function segments(root: Cid): Promise<SegmentEntry[]> {
    const found: SegmentEntry[] = [];
    for await (const { value } of core.db.range(keys.shardSegments(root))) found.push(decodeEntry<SegmentEntry>(value));
    return found;
  }

  const segment = (root: Cid, number: number): Promise<SegmentEntry | undefined> =>
    findEntry<SegmentEntry>(core, keys.shardSegment(root, number));

  return {
    segments,
    segment,
    async *all() {
      for await (const { value } of core.db.range(kindRange(KIND.shardSegment), () => undefined))
        yield decodeEntry<SegmentEntry>(value);
    },
    async find(shard) {
      const place = await findEntry<ShardPlaceEntry>(core, keys.shardPlace(shard));
      const found = place && (await segment(place.root, place.number));
      return place && found?.shards[place.index]?.id === shard ? { segment: found, index: place.index } : undefined;
    },
    put(next, before) {
      const { root, number } = next;
      const gone = (before?.shards ?? []).filter(({ id }, index) => next.shards[index]?.id !== id);
      const ops: IndexOp[] = gone.map(({ id }) => ({ type: 'del', key: keys.shardPlace(id) }));
      ops.push({ type: 'put', key: keys.shardSegment(root, number), value: encodeEntry(next) });
      for (const [index, { id }] of next.shards.entries()) {
        if (before?.shards[index]?.id === id) continue;
        const place: ShardPlaceEntry = { root, number, index };
        ops.push({ type: 'put', key: keys.shardPlace(id), value: encodeEntry(place) });
      }
      return ops;
    },
    async removal(roots) {
      const ops: IndexOp[] = [];
      const blobs: { root: Cid; holders: readonly PeerIdText[] }[] = [];
      for (const root of new Set(roots)) {
        for (const { number, shards } of await segments(root)) {
          ops.push({ type: 'del', key: keys.shardSegment(root, number) });
          for (const shard of shards) {
            ops.push({ type: 'del', key: keys.shardPlace(shard.id) });
            blobs.push({ root: shard.id, holders: holdersOf(shard) });
          }
        }
      }
      return { ops, blobs };
    },
  };
}

/** All that may have this shard under this id. */
function holdersOf({ holder }: ShardEntry): PeerIdText[] {
  return holder === undefined ? [] : [holder];
}
