import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { STORAGE_CLASSES } from '../../protocol/coding/storage-class.ts';
import { planRepairs, segmentHealth } from '../../protocol/storage/repair.ts';
import { shardIdBytes } from './cid.ts';
import { findEntry, type StoreCore } from './core.ts';
import { encodeEntry } from './entries.ts';
import type { Sharding } from './own-shards.ts';
import { createShardAudits } from './shard-audits.ts';
import { createShardBook, standingOf } from './shard-book.ts';
import { createShardCoder } from './shard-coder.ts';
import type { SegmentEntry, ShardingEntry } from './shard-entries.ts';
import { createShardMap } from './shard-map.ts';
import { createShardPlacing } from './shard-placing.ts';
import { createShardWork, isDurable } from './shard-work.ts';

/** All segments are looked through so often, and at once when a shard is lost. */
const LOOK_THROUGH_MS = 3_600_000;
/** After a shard was taken or placed: soon, for what `status` says; later where there are many to look through. */
const LOOK_SOON_MS = 20_000;
const LOOK_SOON_FOR_EACH_MS = 60;
/** Read and written by the repairs that are planned at a time. */
const REPAIR_BYTES = 256 * 1024 * 1024;
/** Recovered segments that are kept: the blocks of one are asked for one after the other. */
const KEPT_SEGMENTS = 2;

export function createSharding(core: StoreCore): Sharding {
  const map = createShardMap(core);
  const book = createShardBook(core);
  const placing = createShardPlacing(core, book);
  const coder = createShardCoder(core, secret);
  let known: Uint8Array | undefined;
  let lookAt = 0;
  let totals = { segments: 0, durable: 0, margins: new Map<number, number>() };
  const kept = new Map<string, Promise<Uint8Array>>();
  const audits = createShardAudits(core, {
    map,
    book,
    onLost: () => {
      lookAt = 0;
    },
    onResult: (result) => {
      core.metrics.shardAudits.inc({ result });
      lookSoon();
    },
  });
  const work = createShardWork(core, { map, placing, coder, secret, onTaken: audits.taken });
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => core.locks.run('shards', change);

  function lookSoon(): void {
    const soon = LOOK_SOON_MS + LOOK_SOON_FOR_EACH_MS * totals.segments;
    lookAt = Math.min(lookAt, core.deps.now().getTime() + soon);
  }

  /** Made with the first shard, and kept with the index: whoever restores the index can read the shards. */
  async function secret(): Promise<Uint8Array> {
    if (known !== undefined) return known;
    const entry = await findEntry<ShardingEntry>(core, core.keys.sharding);
    if (entry === undefined) {
      const made: ShardingEntry = { v: 1, secret: Buffer.from(core.deps.randomBytes(32)).toString('base64') };
      await core.db.commit([{ type: 'put', key: core.keys.sharding, value: encodeEntry(made) }]);
      known = Uint8Array.from(Buffer.from(made.secret, 'base64'));
    } else known = Uint8Array.from(Buffer.from(entry.secret, 'base64'));
    return known;
  }

  /** Margins of all segments, and those that are to be repaired. */
  async function lookThrough(): Promise<void> {
    lookAt = core.deps.now().getTime() + LOOK_THROUGH_MS;
    const next: typeof totals = { segments: 0, durable: 0, margins: new Map() };
    const due: (ReturnType<typeof segmentHealth> & { readonly entry: SegmentEntry; readonly shardBytes: number })[] =
      [];
    for await (const entry of map.all()) {
      for (const { id, stage } of entry.shards) if (stage === 'taken') audits.taken(id);
      const health = segmentHealth(entry.shards.map(book.stateOf), STORAGE_CLASSES[entry.storageClass]);
      next.segments += 1;
      if (isDurable(entry)) next.durable += 1;
      const margin = Math.floor(health.margin);
      next.margins.set(margin, (next.margins.get(margin) ?? 0) + 1);
      // Moved away from a holder: at once, though the segment is not endangered.
      const isLeft = entry.shards.some((shard) => shard.holder !== undefined && book.get(shard.holder).isLeft === true);
      if (health.isDue || isLeft) due.push({ ...health, isDue: true, entry, shardBytes: entry.shardBytes });
    }
    totals = next;
    const planned = Object.values(STORAGE_CLASSES).flatMap((storageClass) =>
      planRepairs(
        due.filter(({ entry }) => entry.storageClass === storageClass.name),
        storageClass,
        REPAIR_BYTES,
      ),
    );
    const ordered = planned.toSorted((a, b) => a.margin - b.margin);
    for (const { entry } of ordered) await markLost(entry);
    work.repair(ordered.map(({ entry }) => entry));
    tell();
  }

  /** A shard whose holder is out or silent for a week is lost like one that failed an audit. */
  async function markLost(entry: SegmentEntry): Promise<void> {
    const shards = entry.shards.map((shard) =>
      shard.stage !== 'lost' && isToMove(shard) ? { ...shard, stage: 'lost' as const } : shard,
    );
    if (shards.some((shard, index) => shard !== entry.shards[index]))
      await core.db.commit(map.put({ ...entry, shards }, entry));
  }

  function isToMove(shard: SegmentEntry['shards'][number]): boolean {
    const isLeft = shard.holder !== undefined && book.get(shard.holder).isLeft === true;
    return isLeft || book.stateOf(shard) === 'lost';
  }

  function tell(): void {
    core.metrics.shardSegments.reset();
    for (const [margin, count] of totals.margins) core.metrics.shardSegments.set({ margin }, count);
    core.metrics.shardRepairs.set(work.repairs());
    core.metrics.shardUnproved.set(Math.floor((unprovedMs() ?? 0) / 1000));
  }

  function unprovedMs(): number | undefined {
    const moments = book.all().flatMap(({ provedAt, isOut }) => (provedAt === undefined || isOut ? [] : [provedAt]));
    return moments.length === 0 ? undefined : Math.max(0, core.deps.now().getTime() - Math.min(...moments));
  }

  async function findSegment(root: Cid, cid: Cid): Promise<SegmentEntry | undefined> {
    return (await map.segments(root)).find(({ blocks }) => blocks.some((block) => block.cid === cid));
  }

  function recoverOnce(entry: SegmentEntry, signal: AbortSignal): Promise<Uint8Array> {
    const found = kept.get(entry.id) ?? coder.recover(entry, signal);
    kept.delete(entry.id);
    kept.set(entry.id, found);
    for (const id of kept.keys()) if (kept.size > KEPT_SEGMENTS) kept.delete(id);
    found.catch(() => kept.delete(entry.id));
    return found;
  }

  return {
    async load() {
      await book.load();
      if (core.deps.coding !== undefined) await lookThrough();
    },
    isCoding: () => placing.classNow() !== undefined,
    holders: () => book.all().map(({ holder }) => holder),
    work: (news) =>
      inTurn(async () => {
        placing.hear(news.offers);
        const admitted = new Set(news.offers.map(({ holder }) => holder));
        for (const { holder } of book.all()) if (admitted.has(holder)) await book.heard(holder);
        for (const holder of news.silent) await book.silent(holder);
        for (const holder of news.out) await book.setOut(holder, true);
        if (news.out.length > 0 || lookAt <= core.deps.now().getTime()) await lookThrough();
        if (core.deps.coding === undefined) return [];
        return await work.tasks(core.signal);
      }),
    brought: (of) =>
      inTurn(async () => {
        if (of.isTaken) await book.heard(of.holder);
        await work.brought(of);
      }),
    audits: () => inTurn(audits.due),
    audited: (answer) => inTurn(() => audits.answered(answer)),
    fault: async (id, of) => {
      if ((await map.find(id)) === undefined) return false;
      await inTurn(async () => {
        if (await audits.fault(id, of)) await book.audited(of.holder, 'wrong');
      });
      return true;
    },
    block: (cid) => work.block(cid),
    async recover(root, cid, signal) {
      const entry = await findSegment(root, cid);
      if (entry === undefined) return undefined;
      const bytes = await recoverOnce(entry, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        core.deps.log.warn({ err: error, segment: entry.number }, 'a segment was not read from its shards');
        return undefined;
      });
      let at = 0;
      for (const block of entry.blocks) {
        if (block.cid === cid) return bytes?.slice(at, at + block.bytes);
        at += block.bytes;
      }
      return undefined;
    },
    read: (segment, signal) => coder.recover(segment, signal),
    lookThrough: (awayFrom) =>
      inTurn(async () => {
        if (awayFrom !== undefined) await book.set({ ...book.get(awayFrom), isLeft: true });
        await lookThrough();
      }),
    removal: map.removal,
    segments: map.segments,
    condition() {
      const storageClass = placing.classNow()?.name;
      const unproved = unprovedMs();
      const least = totals.margins.size === 0 ? undefined : Math.min(...totals.margins.keys());
      return {
        holders: placing.eligible(),
        ...(storageClass !== undefined && { storageClass }),
        ...{ segments: totals.segments, durable: totals.durable, waiting: work.waiting(), repairs: work.repairs() },
        ...(least !== undefined && { leastMargin: least }),
        margins: Object.fromEntries(totals.margins),
        ...(unproved !== undefined && { unprovedMs: unproved }),
        standings: book.all().slice(0, 64).map(standingOf),
      };
    },
    async lists() {
      const lists = new Map<PeerIdText, { id: Uint8Array; root: Uint8Array; bytes: number }[]>();
      for await (const { shards, shardBytes } of map.all()) {
        for (const { id, root, holder, stage } of shards) {
          if (holder === undefined || stage !== 'placed') continue;
          const list = lists.get(holder) ?? [];
          lists.set(holder, list);
          list.push({ id: shardIdBytes(id), root: Uint8Array.from(Buffer.from(root, 'hex')), bytes: shardBytes });
        }
      }
      return [...lists].map(([peer, shards]) => ({ peer, shards }));
    },
  };
}
