import type { Cid } from '../../protocol/brand.ts';
import { durableAt, STORAGE_CLASSES } from '../../protocol/coding/storage-class.ts';
import { rawCidText } from './cid.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, type RefEntry, type VersionEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';
import { linksOf } from './replication.ts';
import type { CodedSegment, ShardCoder } from './shard-coder.ts';
import type { SegmentEntry, ShardEntry } from './shard-entries.ts';
import type { ShardMap } from './shard-map.ts';
import type { ShardPlacing } from './shard-placing.ts';
import type { BroughtShard, ShardTask } from './shards.ts';

/** Versions of the queue that are looked at in one look. */
const LOOK_AT = 256;
/** A segment for which no holder was found is tried again after so long. */
const RETRY_MS = 30_000;
const MAX_TRIED = 16_384;

export interface ShardWork {
  /** Shards to bring now, of one segment: the one under way, one to be repaired, or the next of a version that wants for shards. */
  tasks(signal: AbortSignal): Promise<readonly ShardTask[]>;
  /** A block of a shard that is being brought. */
  block(cid: Cid): Uint8Array | undefined;
  brought(of: BroughtShard): Promise<void>;
  /** Segments to be repaired, the most endangered first. */
  repair(segments: readonly SegmentEntry[]): void;
  repairs(): number;
  /** Versions that want for shards. */
  waiting(): number;
}

export interface ShardWorkParts {
  readonly map: ShardMap;
  readonly placing: ShardPlacing;
  readonly coder: ShardCoder;
  readonly secret: () => Promise<Uint8Array>;
  /** Hears of each shard that a holder took: it is to pass an audit. */
  readonly onTaken: (id: Cid) => void;
}

/** Everything here is called in turn (`sharding.ts`). One segment is in memory at a time; a start makes the same shards again from its entry. */
export function createShardWork(core: StoreCore, parts: ShardWorkParts): ShardWork {
  const { map, placing, coder } = parts;
  let staged: CodedSegment | undefined;
  let repairs: SegmentEntry[] = [];
  let after: Uint8Array | undefined;
  let waiting = 0;
  const tried = new Map<string, number>();
  const now = (): number => core.deps.now().getTime();
  const nameOf = ({ root, number }: Pick<SegmentEntry, 'root' | 'number'>): string => `${root} ${number}`;

  const tasksOf = ({ entry }: CodedSegment): ShardTask[] =>
    entry.shards.flatMap(({ id, root, blocks, holder, stage }) =>
      holder === undefined || stage !== 'waiting'
        ? []
        : [{ holder, id, root: Uint8Array.from(Buffer.from(root, 'hex')), bytes: entry.shardBytes, blocks }],
    );

  /** Holders are written down before anything is sent: what a kill leaves with one is known. */
  async function stage(coded: CodedSegment, before?: SegmentEntry): Promise<void> {
    const entry = placing.place(coded.entry, await parts.secret());
    await core.db.commit(map.put(entry, before));
    staged = { ...coded, entry };
    tried.set(nameOf(entry), now());
    if (tried.size > MAX_TRIED) tried.clear();
  }

  /** Lost shards get another id and another holder; the old one is told that it need not keep what it has. */
  async function stageRepair(entry: SegmentEntry, signal: AbortSignal): Promise<void> {
    const lost = entry.shards.filter(({ holder, stage: at }) => holder !== undefined && at === 'lost');
    const shards = entry.shards.map((shard): ShardEntry => {
      if (!lost.includes(shard) || shard.holder === undefined) return shard;
      const { holder, ...rest } = shard;
      const id = rawCidText(core.deps.randomBytes(32));
      return { ...rest, id, stage: 'waiting', former: [...(shard.former ?? []), holder].slice(-8) };
    });
    // Read while the lost ones are still in the map: what is left of them may be needed.
    const coded = await coder.again(entry, signal);
    const releases = core.releases.add(lost.map(({ id, holder }) => ({ root: id, holders: holder ? [holder] : [] })));
    await core.db.commit(releases.ops);
    releases.settle();
    await stage({ ...coded, entry: { ...entry, shards } }, entry);
  }

  /** Coding it again is of use: a shard of it is on its way, or a holder is there for one that has none. */
  function hasPlace(segment: SegmentEntry, secret: Uint8Array): boolean {
    return placing
      .place(segment, secret)
      .shards.some(({ holder, stage: at }) => holder !== undefined && at === 'waiting');
  }

  async function nextRepair(signal: AbortSignal): Promise<boolean> {
    for (let next = repairs.shift(); next !== undefined; next = repairs.shift()) {
      const entry = await map.segment(next.root, next.number);
      if (entry === undefined || !wantsShards(entry) || !hasPlace(entry, await parts.secret())) continue;
      await stageRepair(entry, signal);
      return true;
    }
    return false;
  }

  const isTriedLately = (segment: Pick<SegmentEntry, 'root' | 'number'>): boolean => {
    const at = tried.get(nameOf(segment));
    return at !== undefined && now() - at < RETRY_MS && now() >= at;
  };

  /** True: a segment of this version is staged. Takes the version out of the queue once all of it is durable at other places. */
  async function lookAt(key: Uint8Array, version: VersionEntry, signal: AbortSignal): Promise<boolean> {
    const { root } = version;
    const segments = await map.segments(root);
    const storageClass = placing.classNow();
    if (segments.length === 0 && storageClass === undefined) return false;
    const links = await linksOf(core, root).catch(() => []);
    if (links.length === 0) return false;
    waiting += 1;
    const coded = segments.reduce((sum, { blocks }) => sum + blocks.length, 0);
    if (coded < links.length && storageClass !== undefined) {
      const number = segments.length;
      if (isTriedLately({ root, number })) return false;
      tried.set(nameOf({ root, number }), now());
      const next = await coder.create({ root, number, blocks: links.slice(coded), storageClass });
      if (next !== undefined) await stage(next);
      return next !== undefined;
    }
    const secret = await parts.secret();
    const wanting = segments.filter((each) => wantsShards(each) && hasPlace(each, secret));
    const needy = wanting.find((each) => !isTriedLately(each));
    if (needy !== undefined) {
      if (needy.shards.some(({ stage: at }) => at === 'lost')) await stageRepair(needy, signal);
      else await stage(await coder.again(needy, signal), needy);
      return true;
    }
    // A shard for which there is no holder is not waited for.
    if (coded >= links.length && wanting.length === 0 && segments.every(isDurable)) {
      await core.db.commit([{ type: 'del', key }]);
      waiting -= 1;
    }
    return false;
  }

  /** Goes round: what cannot be placed must not hide what comes behind it. */
  async function nextOfQueue(signal: AbortSignal): Promise<void> {
    const start = after;
    after = undefined;
    if (start === undefined) waiting = 0;
    const range = { ...kindRange(KIND.underReplicated), ...(start !== undefined && { gt: start }), limit: LOOK_AT };
    for await (const { key, value } of core.db.range(range)) {
      after = key;
      const { recordId, version } = decodeEntry<RefEntry>(value);
      const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version));
      if (entry !== undefined && (await lookAt(key, entry, signal))) return;
    }
  }

  return {
    async tasks(signal) {
      if (staged !== undefined && tasksOf(staged).length > 0) return tasksOf(staged);
      staged = undefined;
      if (!(await nextRepair(signal))) await nextOfQueue(signal);
      return staged === undefined ? [] : tasksOf(staged);
    },
    block: (cid) => staged?.blocks.get(cid),
    async brought({ id, holder, isTaken }) {
      const found = await map.find(id);
      const shard = found?.segment.shards[found.index];
      if (found === undefined || shard?.holder !== holder) {
        // Destroyed while it was on its way there.
        const release = core.releases.add([{ root: id, holders: [holder] }]);
        await core.db.commit(release.ops);
        release.settle();
        return;
      }
      const { segment, index } = found;
      const shards = [...segment.shards];
      const { holder: _, ...without } = shard;
      // Perhaps it took the shard and the answer was lost: it is told to release that id, so the shard gets another one.
      shards[index] = isTaken
        ? { ...shard, stage: 'taken' }
        : { ...without, id: rawCidText(core.deps.randomBytes(32)) };
      let next: SegmentEntry = { ...segment, shards };
      const release = core.releases.add(isTaken ? [] : [{ root: id, holders: [holder] }]);
      if (!isTaken) {
        placing.bar(segment, holder);
        next = placing.place(next, await parts.secret());
      }
      await core.db.commit([...map.put(next, segment), ...release.ops]);
      release.settle();
      if (staged?.entry.id === segment.id) staged = { ...staged, entry: next };
      if (isTaken) parts.onTaken(id);
    },
    repair(segments) {
      repairs = [...segments];
    },
    repairs: () => repairs.length,
    waiting: () => waiting,
  };
}

/** Whether a shard has no holder, or is to be brought, or lost. */
function wantsShards({ shards }: SegmentEntry): boolean {
  return shards.some(({ holder, stage }) => holder === undefined || stage === 'waiting' || stage === 'lost');
}

/** At the repair threshold and half the margin above it, each having passed an audit. */
export function isDurable({ shards, storageClass }: SegmentEntry): boolean {
  return shards.filter(({ stage }) => stage === 'placed').length >= durableAt(STORAGE_CLASSES[storageClass]);
}
