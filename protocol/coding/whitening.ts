/**
 * Every shard is whitened under a key of its own before it leaves: holders that compare what they have cannot tell which shards belong
 * together, and one copy cannot answer for two. A repairer is given the shard keys of one segment and never a data key.
 */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';

/** The primitives, injected because protocol/ has no Node API. */
export interface ShardCrypto {
  /** HKDF-SHA256 (RFC 5869), extract then expand. */
  hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** ChaCha20 (RFC 8439, counter and nonce 0) over `bytes`, written to `room` of the same length, which may be `bytes`. */
  chacha20(key: Uint8Array, bytes: Uint8Array, room: Uint8Array): void;
}

const KEY_BYTES = 32;
const SEGMENT_ID_BYTES = 32;
const MAX_INDEX = 0xffff;

/** Which shard: the segment's random id (32 bytes) and the shard's place in it. */
export interface ShardPlace {
  readonly segmentId: Uint8Array;
  readonly index: number;
}

/**
 * The key of one shard: HKDF(owner's secret, no salt, "nectar/shard/1" | segment id | index (2 bytes, big endian)). It encrypts one
 * shard once, so its nonce is zero.
 * @throws CODING_INPUT_INVALID
 */
export function shardKey(crypto: ShardCrypto, ownerSecret: Uint8Array, { segmentId, index }: ShardPlace): Uint8Array {
  if (ownerSecret.length !== KEY_BYTES) throw invalid('secret', `${ownerSecret.length} bytes, not ${KEY_BYTES}`);
  if (segmentId.length !== SEGMENT_ID_BYTES) throw invalid('segment', `an id of ${segmentId.length} bytes`);
  if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) throw invalid('index', 'no place of a shard');
  const info = concatBytes(utf8ToBytes('nectar/shard/1'), segmentId, Uint8Array.of(index >> 8, index & 0xff));
  return crypto.hkdf(ownerSecret, new Uint8Array(0), info, KEY_BYTES);
}

function invalid(field: string, problem: string): NectarError {
  return new NectarError('CODING_INPUT_INVALID', { field, problem });
}
