import type { RecordId } from '../../protocol/brand.ts';
import { STORAGE_CLASSES } from '../../protocol/coding/storage-class.ts';
import { NectarError } from '../../protocol/errors.ts';
import { isBlockOf } from './cid.ts';
import { getVersion, type StoreCore } from './core.ts';
import type { SegmentEntry } from './shard-entries.ts';
import type { RecordShards, ShardDrill } from './shards.ts';

/** How the segments of a record's newest version stand; none where it is replicated, or not coded yet. */
export async function shardsOfRecord(core: StoreCore, recordId: RecordId): Promise<RecordShards> {
  const { version, root } = await getVersion(core, recordId);
  const segments = await core.sharding.segments(root);
  return {
    ...{ recordId, version },
    segments: segments.map((segment) => {
      const { number, shards, storageClass } = segment;
      const placed = shards.filter(({ stage }) => stage === 'placed').length;
      const margin = placed - STORAGE_CLASSES[storageClass].data;
      return { ...{ number, storageClass, placed, margin }, shards: shards.length, bytes: bytesOf(segment) };
    }),
  };
}

/**
 * Reads one segment from its holders alone, though its blocks are here, and holds each block against its CID: what comes is what was
 * sealed, byte for byte.
 * @throws CODING_SHARDS_TOO_FEW, STORE_BLOB_CORRUPT
 */
export async function drillSegment(
  core: StoreCore,
  of: { readonly recordId: RecordId; readonly segment: number },
  signal: AbortSignal,
): Promise<ShardDrill> {
  const { recordId } = of;
  const { version, root } = await getVersion(core, recordId);
  const segment = (await core.sharding.segments(root)).find(({ number }) => number === of.segment);
  if (segment === undefined) throw new NectarError('STORE_RECORD_NOT_FOUND', { recordId, version });
  const bytes = await core.sharding.read(segment, signal);
  let at = 0;
  for (const block of segment.blocks) {
    if (!isBlockOf(block.cid, bytes.subarray(at, at + block.bytes)))
      throw new NectarError('STORE_BLOB_CORRUPT', { cid: block.cid });
    at += block.bytes;
  }
  return { recordId, version, segment: of.segment, bytes: at, blocks: segment.blocks.length };
}

function bytesOf({ blocks }: SegmentEntry): number {
  return blocks.reduce((sum, { bytes }) => sum + bytes, 0);
}
