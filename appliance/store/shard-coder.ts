import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { NODE_SEGMENT_BYTES, segmentsOf } from '../../protocol/coding/segment.ts';
import { STORAGE_CLASSES, type StorageClass } from '../../protocol/coding/storage-class.ts';
import { NectarError } from '../../protocol/errors.ts';
import { cidText, isBlockOf, rawCidOf, rawCidText, sha256 } from './cid.ts';
import type { StoreCore } from './core.ts';
import { SHARD_BLOCK_BYTES } from './held-shards.ts';
import { getBlock } from './replication.ts';
import type { SegmentEntry, ShardEntry } from './shard-entries.ts';

/** A segment whose shards are in memory, to be brought to their holders. */
export interface CodedSegment {
  readonly entry: SegmentEntry;
  readonly blocks: ReadonlyMap<Cid, Uint8Array>;
}

export interface ShardCoder {
  /** The next segment of a blob: its blocks from `first` on, as many as are coded together. Undefined where one is not here. */
  create(of: {
    readonly root: Cid;
    readonly number: number;
    readonly blocks: readonly Cid[];
    readonly storageClass: StorageClass;
  }): Promise<CodedSegment | undefined>;
  /** The same shards again: from the blocks that are here, and where they are not, from k other shards. */
  again(entry: SegmentEntry, signal: AbortSignal): Promise<CodedSegment>;
  /**
   * The bytes of a segment from its holders alone: data shards first, the next one for each that is not there or not right.
   * @throws CODING_SHARDS_TOO_FEW
   */
  recover(entry: SegmentEntry, signal: AbortSignal): Promise<Uint8Array>;
}

export function createShardCoder(core: StoreCore, secret: () => Promise<Uint8Array>): ShardCoder {
  const coding = (): NonNullable<StoreCore['deps']['coding']> => {
    if (core.deps.coding === undefined) throw new NectarError('CODING_FILE_INVALID', { reason: 'this node has none' });
    return core.deps.coding;
  };
  const keysOf = async (entry: Pick<SegmentEntry, 'id'>) => ({
    ownerSecret: await secret(),
    segmentId: Uint8Array.from(Buffer.from(entry.id, 'base64')),
  });

  async function encode(entry: Omit<SegmentEntry, 'shards'>, bytes: Uint8Array): Promise<EncodedShard[]> {
    const storageClass = STORAGE_CLASSES[entry.storageClass];
    const [segment] = segmentsOf(entry.length, storageClass);
    if (segment === undefined) throw new RangeError('a segment has a length');
    const coded = await coding().encode(bytes, { segment, storageClass }, await keysOf(entry));
    return coded.map(({ bytes: shard, root }) => ({ root: Buffer.from(root).toString('hex'), parts: cut(shard) }));
  }

  async function readLocal(blocks: SegmentEntry['blocks']): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (const { cid } of blocks) {
      const block = await getBlock(core, cid);
      if (block === undefined) return undefined;
      parts.push(block);
    }
    return Uint8Array.from(Buffer.concat(parts));
  }

  async function fetchShard(
    { id, holder, blocks, stage }: ShardEntry,
    shardBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    if (holder === undefined || stage === 'waiting' || core.deps.replicas === undefined) return undefined;
    const shard = new Uint8Array(shardBytes);
    let at = 0;
    for (const cid of blocks) {
      const block = await core.deps.replicas.fetch(id, cid, [holder], signal).catch(() => undefined);
      signal.throwIfAborted();
      if (block === undefined || !isBlockOf(cid, block) || at + block.length > shardBytes) return undefined;
      shard.set(block, at);
      at += block.length;
    }
    return at === shardBytes ? shard : undefined;
  }

  async function recover(entry: SegmentEntry, signal: AbortSignal): Promise<Uint8Array> {
    const storageClass = STORAGE_CLASSES[entry.storageClass];
    const { data } = storageClass;
    const shards: (Uint8Array | undefined)[] = entry.shards.map(() => undefined);
    // Those that failed an audit come last: what is left of them may be what is needed.
    const order = [...entry.shards.keys()].toSorted((a, b) => rank(entry, a) - rank(entry, b));
    for (let from = 0, present = 0; from < order.length && present < data; ) {
      const next = order.slice(from, from + data - present);
      from += next.length;
      await Promise.all(
        next.map(async (index) => {
          const shard = entry.shards[index];
          shards[index] = shard && (await fetchShard(shard, entry.shardBytes, signal));
        }),
      );
      present = shards.filter((shard) => shard !== undefined).length;
    }
    const present = shards.filter((shard) => shard !== undefined).length;
    if (present < data) throw new NectarError('CODING_SHARDS_TOO_FEW', { needed: data, present });
    const [segment] = segmentsOf(entry.length, storageClass);
    if (segment === undefined) throw new RangeError('a segment has a length');
    const roots = entry.shards.map(({ root }) => Uint8Array.from(Buffer.from(root, 'hex')));
    const { bytes } = await coding().read({ segment, storageClass, shards, roots }, await keysOf(entry));
    return bytes;
  }

  return {
    recover,
    async create({ root, number, blocks: cids, storageClass }) {
      const parts: Uint8Array[] = [];
      const blocks: { cid: Cid; bytes: number }[] = [];
      let size = 0;
      for (const cid of cids) {
        const block = await getBlock(core, cid);
        if (block === undefined) return undefined;
        if (size > 0 && size + block.length > NODE_SEGMENT_BYTES) break;
        parts.push(block);
        blocks.push({ cid, bytes: block.length });
        size += block.length;
      }
      const [segment] = segmentsOf(size, storageClass);
      if (segment === undefined) return undefined;
      const entry: Omit<SegmentEntry, 'shards'> = {
        ...{ v: 1, root, number, blocks, length: segment.length, shardBytes: segment.shardBytes },
        id: Buffer.from(core.deps.randomBytes(32)).toString('base64'),
        storageClass: storageClass.name as SegmentEntry['storageClass'],
      };
      const coded = await encode(entry, Uint8Array.from(Buffer.concat(parts)));
      const shards = coded.map(({ root: shardRoot, parts: pieces }): ShardEntry => {
        const id = rawCidText(core.deps.randomBytes(32));
        return { id, root: shardRoot, blocks: pieces.map(([cid]) => cid), stage: 'waiting' };
      });
      return { entry: { ...entry, shards }, blocks: new Map(coded.flatMap(({ parts: pieces }) => pieces)) };
    },
    async again(entry, signal) {
      const bytes = (await readLocal(entry.blocks)) ?? (await recover(entry, signal));
      const coded = await encode(entry, bytes);
      const isSame = coded.every(({ root }, index) => root === entry.shards[index]?.root);
      if (!isSame) throw new NectarError('STORE_INDEX_CORRUPT', { entry: `segment ${entry.number} of ${entry.root}` });
      return { entry, blocks: new Map(coded.flatMap(({ parts }) => parts)) };
    },
  };
}

interface EncodedShard {
  readonly root: string;
  readonly parts: readonly (readonly [Cid, Uint8Array])[];
}

/** A shard as blocks of the exchange. */
function cut(shard: Uint8Array): (readonly [Cid, Uint8Array])[] {
  const parts: (readonly [Cid, Uint8Array])[] = [];
  for (let at = 0; at < shard.length; at += SHARD_BLOCK_BYTES) {
    const block = shard.subarray(at, at + SHARD_BLOCK_BYTES);
    parts.push([cidText(rawCidOf(sha256(block))), block]);
  }
  return parts;
}

function rank({ shards }: SegmentEntry, index: number): number {
  return index + (shards[index]?.stage === 'lost' ? shards.length : 0);
}

/** Who has a shard of a segment, and who had one. */
export function holdersOfSegment({ shards }: SegmentEntry): Set<PeerIdText> {
  return new Set(
    shards.flatMap(({ holder, former }) => [...(holder === undefined ? [] : [holder]), ...(former ?? [])]),
  );
}
