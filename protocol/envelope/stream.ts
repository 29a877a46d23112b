/** Seals and opens the segments of a blob (see format.ts), one at a time, in any order for reading. */
import { type EnvelopeCrypto, KEY_BYTES, TAG_BYTES } from './crypto.ts';
import {
  type BlobHeader,
  encodeHeader,
  HEADER_BYTES,
  MAX_SEGMENTS,
  parseHeader,
  SEGMENT_BYTES,
  segmentCapacity,
  segmentNonce,
} from './format.ts';

const NO_AAD = new Uint8Array(0);

export interface SegmentSealer {
  /**
   * Seals the next segment. Every segment but the last must be full (segmentCapacity); the last is 0 (only when it is
   * also the first) to full bytes. Returns the segment's ciphertext, the first with the 40-byte header before it: exactly
   * the next block of the blob, in `room` when the caller brings it (its length: sealedBytes).
   */
  seal(plaintext: Uint8Array, last: boolean, room?: Uint8Array): Uint8Array;
  /** Bytes of the next block, for so much plaintext. */
  sealedBytes(plaintextBytes: number): number;
  /** Plaintext bytes the next segment takes. */
  capacity(): number;
}

/**
 * Starts a blob. `dek` 32 bytes, `aad` from blobAad; `header` must be fresh random for every blob: the same header under
 * the same DEK would repeat nonces.
 */
export function createSealer(
  crypto: EnvelopeCrypto,
  secret: { readonly dek: Uint8Array; readonly aad: Uint8Array },
  header: BlobHeader,
): SegmentSealer {
  const key = segmentKey(crypto, secret, header);
  let next = 0;
  let ended = false;
  const headerBytes = (): number => (next === 0 ? HEADER_BYTES : 0);
  return {
    capacity: () => segmentCapacity(next),
    sealedBytes: (plaintextBytes) => headerBytes() + plaintextBytes + TAG_BYTES,
    seal(plaintext, last, room) {
      const full = plaintext.length === segmentCapacity(next);
      if (ended || next >= MAX_SEGMENTS || plaintext.length > segmentCapacity(next))
        throw new RangeError('segment out of order');
      if ((!last && !full) || (last && plaintext.length === 0 && next > 0)) throw new RangeError('segment not full');
      const block = room ?? new Uint8Array(headerBytes() + plaintext.length + TAG_BYTES);
      if (block.length !== headerBytes() + plaintext.length + TAG_BYTES)
        throw new RangeError('no room for the segment');
      if (next === 0) block.set(encodeHeader(header), 0);
      const nonce = segmentNonce(header.noncePrefix, next, last);
      crypto.seal(key, nonce, NO_AAD, plaintext, block.subarray(headerBytes()));
      ended = last;
      next += 1;
      return block;
    },
  };
}

export interface SegmentOpener {
  /**
   * Opens one block of the blob; undefined when it does not authenticate as that segment in that place. For segment 0 the
   * block starts with the header, which must be the one that the opener was made from.
   */
  open(block: Uint8Array, segment: number, last: boolean): Uint8Array | undefined;
}

/** An opener for the blob whose first block is (or starts as) `firstBlock`; undefined when its header is malformed. */
export function createOpener(
  crypto: EnvelopeCrypto,
  secret: { readonly dek: Uint8Array; readonly aad: Uint8Array },
  firstBlock: Uint8Array,
): SegmentOpener | undefined {
  const header = parseHeader(firstBlock);
  if (header === undefined) return undefined;
  const key = segmentKey(crypto, secret, header);
  return {
    open(block, segment, last) {
      if (block.length > SEGMENT_BYTES) return undefined;
      if (!last && block.length !== SEGMENT_BYTES) return undefined;
      if (segment === 0 && !startsWithHeader(block, header)) return undefined;
      const sealed = segment === 0 ? block.subarray(HEADER_BYTES) : block;
      if (sealed.length < TAG_BYTES) return undefined;
      return crypto.open(key, segmentNonce(header.noncePrefix, segment, last), NO_AAD, sealed);
    },
  };
}

function startsWithHeader(block: Uint8Array, header: BlobHeader): boolean {
  const expected = encodeHeader(header);
  return block.length >= HEADER_BYTES && expected.every((byte, i) => block[i] === byte);
}

function segmentKey(
  crypto: EnvelopeCrypto,
  secret: { readonly dek: Uint8Array; readonly aad: Uint8Array },
  header: BlobHeader,
): Uint8Array {
  return crypto.hkdf(secret.dek, header.salt, secret.aad, KEY_BYTES);
}
