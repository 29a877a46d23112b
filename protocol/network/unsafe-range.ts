/**
 * The unsafe-range protocol: one request, then the blocks in order, one frame each, then an empty frame. How a node that
 * missed gossip catches up before the batch is on L1; every block is checked like one from gossip.
 */
import { ByteReader } from './byte-reader.ts';

/** Most blocks in one answer. */
export const MAX_RANGE_BLOCKS = 256;
/** Most bytes of blocks in one answer, frame headers not counted. */
export const MAX_RANGE_BYTES = 4 * 1024 * 1024;
/** Bytes of an encoded request: from (8, big-endian), limit (2, big-endian). */
export const RANGE_REQUEST_BYTES = 10;

export interface RangeRequest {
  /** First L2 block number wanted. */
  readonly from: bigint;
  /** 1 to MAX_RANGE_BLOCKS. */
  readonly limit: number;
}

export function encodeRangeRequest(request: RangeRequest): Uint8Array {
  const bytes = new Uint8Array(RANGE_REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, request.from);
  view.setUint16(8, request.limit);
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID. */
export function parseRangeRequest(bytes: Uint8Array): RangeRequest {
  const reader = new ByteReader(bytes, 'range request');
  const from = reader.u64();
  const limit = reader.u16();
  reader.end();
  if (limit < 1 || limit > MAX_RANGE_BLOCKS) throw reader.invalid('limit out of bounds');
  return { from, limit };
}
