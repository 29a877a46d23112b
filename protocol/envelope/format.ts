/**
 * The byte layout of a sealed blob: Google Tink's streaming AEAD `AES256_GCM_HKDF_1MB`, RAW (no key-id prefix).
 * Source: https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming
 *
 *   header = headerLength(1) = 40 | salt(32) | noncePrefix(7)
 *   blob   = header | segment 0 | segment 1 | ...
 *
 * Every segment ends at a multiple of 1 MiB of the blob, but for the last; segment 0 is shorter by the header. So one
 * segment (the first together with the header) is one 1 MiB block of the UnixFS file that carries the blob.
 */
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './crypto.ts';
import { uint32 } from './uint32.ts';

/** Ciphertext bytes per segment, the header counted into the first. */
export const SEGMENT_BYTES = 1024 * 1024;
export const SALT_BYTES = KEY_BYTES;
export const NONCE_PREFIX_BYTES = 7;
export const HEADER_BYTES = 1 + SALT_BYTES + NONCE_PREFIX_BYTES;

/** Plaintext bytes that a full first segment carries. */
export const FIRST_SEGMENT_PLAINTEXT_BYTES = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES;
/** Plaintext bytes that any other full segment carries. */
export const SEGMENT_PLAINTEXT_BYTES = SEGMENT_BYTES - TAG_BYTES;

/** The segment number is 4 bytes of the nonce. */
export const MAX_SEGMENTS = 2 ** 32;

export interface BlobHeader {
  /** 32 random bytes: HKDF salt. */
  readonly salt: Uint8Array;
  /** 7 random bytes. */
  readonly noncePrefix: Uint8Array;
}

/** Encodes the 40-byte header. */
export function encodeHeader(header: BlobHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes[0] = HEADER_BYTES;
  bytes.set(header.salt, 1);
  bytes.set(header.noncePrefix, 1 + SALT_BYTES);
  return bytes;
}

/** Parses a header; undefined when the bytes are too few or the length byte is not 40. */
export function parseHeader(bytes: Uint8Array): BlobHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== HEADER_BYTES) return undefined;
  return {
    salt: bytes.slice(1, 1 + SALT_BYTES),
    noncePrefix: bytes.slice(1 + SALT_BYTES, HEADER_BYTES),
  };
}

/** The 12-byte nonce of a segment: noncePrefix(7) | segment number(4, big-endian) | last(1). */
export function segmentNonce(noncePrefix: Uint8Array, segment: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(noncePrefix, 0);
  nonce.set(uint32(segment), NONCE_PREFIX_BYTES);
  nonce[NONCE_BYTES - 1] = last ? 1 : 0;
  return nonce;
}

/** Segments of a blob of so many plaintext bytes: at least one, the last never empty but for the empty plaintext. */
export function segmentCount(plaintextBytes: number): number {
  const beyond = plaintextBytes - FIRST_SEGMENT_PLAINTEXT_BYTES;
  return beyond <= 0 ? 1 : 1 + Math.ceil(beyond / SEGMENT_PLAINTEXT_BYTES);
}

/** Bytes of the blob that seals so many plaintext bytes. */
export function blobBytes(plaintextBytes: number): number {
  return HEADER_BYTES + plaintextBytes + TAG_BYTES * segmentCount(plaintextBytes);
}

/** Plaintext bytes in a blob of so many bytes; undefined when no plaintext gives that size. */
export function plaintextBytes(blobSize: number): number | undefined {
  const segments = Math.max(1, Math.ceil(blobSize / SEGMENT_BYTES));
  const plaintext = blobSize - HEADER_BYTES - TAG_BYTES * segments;
  return plaintext >= 0 && blobBytes(plaintext) === blobSize ? plaintext : undefined;
}

/** The segment that holds the plaintext byte at `offset`. */
export function segmentAt(offset: number): number {
  if (offset < FIRST_SEGMENT_PLAINTEXT_BYTES) return 0;
  return 1 + Math.floor((offset - FIRST_SEGMENT_PLAINTEXT_BYTES) / SEGMENT_PLAINTEXT_BYTES);
}

/** The plaintext offset at which a segment starts. */
export function segmentStart(segment: number): number {
  return segment === 0 ? 0 : FIRST_SEGMENT_PLAINTEXT_BYTES + (segment - 1) * SEGMENT_PLAINTEXT_BYTES;
}

/** Plaintext bytes that a full segment carries. */
export function segmentCapacity(segment: number): number {
  return segment === 0 ? FIRST_SEGMENT_PLAINTEXT_BYTES : SEGMENT_PLAINTEXT_BYTES;
}

/** One segment's part in a byte range: which segment, and which of its plaintext bytes [from, to). */
export interface SegmentSlice {
  readonly segment: number;
  readonly last: boolean;
  readonly from: number;
  readonly to: number;
}

/**
 * The segments that hold the plaintext bytes [start, end), in order, of a blob with `total` plaintext bytes. An empty
 * range still yields one segment, so that reading an empty record authenticates it.
 */
export function* segmentSlices(total: number, start: number, end: number): Generator<SegmentSlice> {
  const lastSegment = segmentCount(total) - 1;
  const firstSegment = Math.min(segmentAt(start), lastSegment);
  for (let segment = firstSegment; segment <= lastSegment; segment++) {
    const base = segmentStart(segment);
    if (segment > firstSegment && base >= end) return;
    const to = Math.min(end - base, segmentCapacity(segment));
    yield { segment, last: segment === lastSegment, from: Math.min(start > base ? start - base : 0, to), to };
  }
}
