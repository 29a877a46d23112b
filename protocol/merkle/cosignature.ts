import { utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';

/** A witness's signature with the time at which it was made. */
export interface TimestampedSignature {
  /** POSIX seconds. */
  readonly timestamp: number;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/** What a witness signs: `cosignature/v1`, the time, and the whole checkpoint text (C2SP tlog-cosignature). */
export function cosignedMessage(text: string, timestamp: number): Uint8Array {
  return utf8ToBytes(`cosignature/v1\ntime ${timestamp}\n${text}`);
}

/** Encodes timestamp (uint64, big-endian) and signature. */
export function encodeTimestampedSignature({ timestamp, signature }: TimestampedSignature): Uint8Array {
  const bytes = new Uint8Array(8 + signature.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(timestamp));
  bytes.set(signature, 8);
  return bytes;
}

/** Parses a `timestamped_signature` of 72 bytes; throws AUDIT_NOTE_INVALID. */
export function parseTimestampedSignature(bytes: Uint8Array): TimestampedSignature {
  if (bytes.length !== 72) throw new NectarError('AUDIT_NOTE_INVALID', { reason: 'a cosignature is not 72 bytes' });
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  if (timestamp > BigInt(Number.MAX_SAFE_INTEGER))
    throw new NectarError('AUDIT_NOTE_INVALID', { reason: 'a cosignature is from no possible time' });
  return { timestamp: Number(timestamp), signature: bytes.slice(8) };
}
