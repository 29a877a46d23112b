import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** A batch in EIP-4844 blobs (docs/design/0013-derivation.md, section 6). */
export const BLOB_BYTES = 131_072;
const ELEMENT_BYTES = 32;
/** A field element is below a modulus of 255 bits: its first byte stays zero. */
const USABLE_BYTES = ELEMENT_BYTES - 1;
const LENGTH_BYTES = 4;
/** Bytes of a batch and its length that one blob carries. */
export const BLOB_CAPACITY = (BLOB_BYTES / ELEMENT_BYTES) * USABLE_BYTES;

/** The blobs of a batch: as few as hold it, the rest zero. */
export function encodeBlobs(batch: Uint8Array): Uint8Array[] {
  const content = new Uint8Array(LENGTH_BYTES + batch.length);
  new DataView(content.buffer).setUint32(0, batch.length);
  content.set(batch, LENGTH_BYTES);
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += BLOB_CAPACITY) {
    blobs.push(encodeBlob(content.subarray(at, at + BLOB_CAPACITY)));
  }
  return blobs;
}

function encodeBlob(content: Uint8Array): Uint8Array {
  const blob = new Uint8Array(BLOB_BYTES);
  for (let from = 0, to = 1; from < content.length; from += USABLE_BYTES, to += ELEMENT_BYTES) {
    blob.set(content.subarray(from, from + USABLE_BYTES), to);
  }
  return blob;
}

/**
 * The batch in a transaction's blobs, each of BLOB_BYTES. Total: undefined when they hold none, which is a malformed batch, the
 * same for everybody. What follows the batch in the last blobs means nothing.
 */
export function decodeBlobs(blobs: readonly Uint8Array[]): Uint8Array | undefined {
  const content = new Uint8Array(blobs.length * BLOB_CAPACITY);
  let to = 0;
  for (const blob of blobs) {
    if (blob.length !== BLOB_BYTES) return undefined;
    for (let from = 0; from < BLOB_BYTES; from += ELEMENT_BYTES, to += USABLE_BYTES) {
      if (blob[from] !== 0) return undefined;
      content.set(blob.subarray(from + 1, from + ELEMENT_BYTES), to);
    }
  }
  if (content.length === 0) return undefined;
  const length = new DataView(content.buffer).getUint32(0);
  return length > content.length - LENGTH_BYTES ? undefined : content.slice(LENGTH_BYTES, LENGTH_BYTES + length);
}

/** SequencerInbox's dataHash of a batch in blobs. */
export function blobsDataHash(versionedHashes: readonly Hex[]): Hex {
  return bytesToHex(keccak_256(concatBytes(...versionedHashes.map(hexToBytes))));
}
