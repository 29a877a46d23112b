/**
 * The batch protocol: one request, one answer. How a node gets the data of a batch that L1 has forgotten; the answer is proved by the
 * dataHash and the versioned hashes, so a peer's word counts for nothing.
 *
 * request   number of the batch (8) | its dataHash (32)
 * answer    type (1) and
 *             0x01 data      the batch data, see protocol/rollup/batch-data.ts
 *             0x02 refused   the reason (1)
 */
import type { Hex } from '../brand.ts';
import { MAX_BATCH_DATA_BYTES } from '../rollup/batch-data.ts';
import { bytesToHex, hexToBytes } from '../rollup/bytes.ts';
import { ByteReader } from './byte-reader.ts';

const NUMBER_BYTES = 8;
const HASH_BYTES = 32;
export const BATCH_REQUEST_BYTES = NUMBER_BYTES + HASH_BYTES;
export const MAX_BATCH_ANSWER_BYTES = 1 + MAX_BATCH_DATA_BYTES;

/** Why a peer gives no data. */
export const BATCH_REFUSALS = ['absent', 'stranger', 'busy'] as const;
export type BatchRefusal = (typeof BATCH_REFUSALS)[number];

export interface BatchRequest {
  readonly sequenceNumber: bigint;
  readonly dataHash: Hex;
}

export type BatchAnswer =
  | { readonly type: 'data'; readonly encoded: Uint8Array }
  | { readonly type: 'refused'; readonly reason: BatchRefusal };

const TYPE = { data: 0x01, refused: 0x02 } as const;

export function encodeBatchRequest({ sequenceNumber, dataHash }: BatchRequest): Uint8Array {
  const bytes = new Uint8Array(BATCH_REQUEST_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, sequenceNumber);
  bytes.set(hexToBytes(dataHash), NUMBER_BYTES);
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID. */
export function parseBatchRequest(bytes: Uint8Array): BatchRequest {
  const reader = new ByteReader(bytes, 'batch request');
  const sequenceNumber = reader.u64();
  const dataHash = bytesToHex(reader.take(HASH_BYTES));
  reader.end();
  return { sequenceNumber, dataHash };
}

export function encodeBatchAnswer(answer: BatchAnswer): Uint8Array {
  if (answer.type === 'refused') return Uint8Array.of(TYPE.refused, BATCH_REFUSALS.indexOf(answer.reason));
  const bytes = new Uint8Array(1 + answer.encoded.length);
  bytes[0] = TYPE.data;
  bytes.set(answer.encoded, 1);
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID. Judges nothing of the data. */
export function parseBatchAnswer(bytes: Uint8Array): BatchAnswer {
  const reader = new ByteReader(bytes, 'batch answer');
  const type = reader.u8();
  if (type === TYPE.data) return { type: 'data', encoded: reader.rest() };
  if (type !== TYPE.refused) throw reader.invalid('unknown type');
  const reason = BATCH_REFUSALS[reader.u8()];
  reader.end();
  if (reason === undefined) throw reader.invalid('unknown reason');
  return { type: 'refused', reason };
}
