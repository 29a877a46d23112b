import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { BLOB_BYTES, blobsDataHash, decodeBlobs } from './blob-batch.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** What L1 holds of a batch, whole: whoever has it can prove it by the `dataHash` of SequencerInbox's event. */
export type BatchData =
  | { readonly source: 'calldata'; readonly bytes: Uint8Array }
  | { readonly source: 'blobs'; readonly versionedHashes: readonly Hex[]; readonly blobs: readonly Uint8Array[] };

/** Blobs of one transaction: L1 takes 6 (EIP-7594), and took 9 before. */
export const MAX_BLOBS_PER_BATCH = 16;
/** SequencerInbox's limit, and what else a poster may call it with. */
const MAX_CALLDATA_BYTES = 128 * 1024;

const TYPE = { calldata: 0x00, blobs: 0x01 } as const;
const HASH_BYTES = 32;
const BLOB_HEAD_BYTES = HASH_BYTES + 4;
/** Longest encoding. */
export const MAX_BATCH_DATA_BYTES = 1 + MAX_BLOBS_PER_BATCH * (BLOB_HEAD_BYTES + BLOB_BYTES);

/** The dataHash; of blobs it says nothing of their content, only of their versioned hashes. */
export function dataHashOf(data: BatchData): Hex {
  return data.source === 'calldata' ? bytesToHex(keccak_256(data.bytes)) : blobsDataHash(data.versionedHashes);
}

/** The bytes of the batch; undefined when the blobs hold none. */
export function batchBytes(data: BatchData): Uint8Array | undefined {
  return data.source === 'calldata' ? data.bytes : decodeBlobs(data.blobs);
}

/**
 * As archives keep it and peers exchange it: 0x00 and the bytes; or 0x01 and for each blob its versioned hash (32), a length (4, big
 * endian) and so many bytes of the blob, whose rest is zero. Undefined for what is too large for either: L1 alone has that.
 */
export function encodeBatchData(data: BatchData): Uint8Array | undefined {
  if (data.source === 'calldata') {
    return data.bytes.length > MAX_CALLDATA_BYTES ? undefined : concatBytes(Uint8Array.of(TYPE.calldata), data.bytes);
  }
  if (data.blobs.length > MAX_BLOBS_PER_BATCH) return undefined;
  const parts = data.blobs.map((blob) => blob.subarray(0, usedLength(blob)));
  const encoded = new Uint8Array(1 + parts.reduce((sum, part) => sum + BLOB_HEAD_BYTES + part.length, 0));
  encoded[0] = TYPE.blobs;
  let at = 1;
  for (const [index, part] of parts.entries()) {
    encoded.set(hexToBytes(data.versionedHashes[index] ?? '0x'), at);
    new DataView(encoded.buffer).setUint32(at + HASH_BYTES, part.length);
    encoded.set(part, at + BLOB_HEAD_BYTES);
    at += BLOB_HEAD_BYTES + part.length;
  }
  return encoded;
}

/** Undefined for what `encodeBatchData` does not write. Proves nothing: neither hash is compared here. */
export function parseBatchData(encoded: Uint8Array): BatchData | undefined {
  if (encoded[0] === TYPE.calldata && encoded.length <= 1 + MAX_CALLDATA_BYTES) {
    return { source: 'calldata', bytes: encoded.slice(1) };
  }
  if (encoded[0] !== TYPE.blobs || encoded.length > MAX_BATCH_DATA_BYTES) return undefined;
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  const versionedHashes: Hex[] = [];
  const blobs: Uint8Array[] = [];
  for (let at = 1; at < encoded.length; ) {
    if (blobs.length === MAX_BLOBS_PER_BATCH || encoded.length - at < BLOB_HEAD_BYTES) return undefined;
    const length = view.getUint32(at + HASH_BYTES);
    const from = at + BLOB_HEAD_BYTES;
    if (length > BLOB_BYTES || length > encoded.length - from) return undefined;
    const blob = new Uint8Array(BLOB_BYTES);
    blob.set(encoded.subarray(from, from + length));
    if (length > 0 && blob[length - 1] === 0) return undefined;
    versionedHashes.push(bytesToHex(encoded.slice(at, at + HASH_BYTES)));
    blobs.push(blob);
    at = from + length;
  }
  return blobs.length === 0 ? undefined : { source: 'blobs', versionedHashes, blobs };
}

function usedLength(blob: Uint8Array): number {
  let length = blob.length;
  while (length > 0 && blob[length - 1] === 0) length -= 1;
  return length;
}
