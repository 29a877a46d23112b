import { NectarError } from '../errors.ts';
import { padmeLength } from './padme.ts';
import { LEAF_BYTES } from './shard-tree.ts';
import type { StorageClass } from './storage-class.ts';

/** The most bytes of a blob that are coded together. */
export const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/** What a node codes together: less than the format permits, for the memory of a store. */
export const NODE_SEGMENT_BYTES = 8 * 1024 * 1024;

/** A part of a padded blob, and the length of the shards that it becomes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
  /** The segment's k-th part in whole leaves; the last data shard ends in zeros. */
  readonly shardBytes: number;
}

/** Segments of a blob of `length` bytes: all but the last have MAX_SEGMENT_BYTES. @throws CODING_INPUT_INVALID for an empty one */
export function segmentsOf(length: number, { data }: StorageClass): Segment[] {
  if (!Number.isInteger(length) || length < 1)
    throw new NectarError('CODING_INPUT_INVALID', { field: 'blob', problem: `${length} bytes are no blob` });
  const padded = padmeLength(length);
  const segments: Segment[] = [];
  for (let offset = 0; offset < padded; offset += MAX_SEGMENT_BYTES) {
    const bytes = Math.min(MAX_SEGMENT_BYTES, padded - offset);
    segments.push({ offset, length: bytes, shardBytes: Math.ceil(bytes / data / LEAF_BYTES) * LEAF_BYTES });
  }
  return segments;
}

/**
 * The data shards of a segment, side by side in memory of their own, and room for the others: what a coder fills.
 * @param bytes the segment's, or fewer at the end of a blob: what is missing is padding
 * @throws CODING_INPUT_INVALID for more bytes than the segment has
 */
export function cutSegment(bytes: Uint8Array, { length, shardBytes }: Segment, { shards }: StorageClass): Uint8Array[] {
  if (bytes.length > length)
    throw new NectarError('CODING_INPUT_INVALID', {
      field: 'segment',
      problem: `${bytes.length} bytes, not ${length}`,
    });
  const room = new Uint8Array(shards * shardBytes);
  room.set(bytes);
  return Array.from({ length: shards }, (_, i) => room.subarray(i * shardBytes, (i + 1) * shardBytes));
}

/** The bytes of a segment from its data shards, in their order: the first `length` of them. */
export function joinSegment(dataShards: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const shard of dataShards) {
    if (at >= length) break;
    bytes.set(shard.subarray(0, length - at), at);
    at += shard.length;
  }
  if (at < length)
    throw new NectarError('CODING_INPUT_INVALID', {
      field: 'shards',
      problem: `${at} bytes are no segment of ${length}`,
    });
  return bytes;
}
