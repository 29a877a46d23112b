/**
 * Canonical associated data: fixed-width binary, so that no two contexts share an encoding.
 *
 *   blob AAD (37 bytes) = formatVersion(1) = 1 | nodeId(16) | recordId(16) | recordVersion(4, big-endian)
 *   DEK AAD             = formatVersion(1) = 1 | length of kekId(1) | kekId (ASCII) | recordId(16) | recordVersion(4, big-endian)
 */
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { RecordId } from '../brand.ts';
import { uint32 } from './uint32.ts';

/** The version of the sealed formats in this folder. */
export const ENVELOPE_VERSION = 1;
/** Record versions are 1, 2, ... and fit 4 bytes. */
export const MAX_RECORD_VERSION = 2 ** 32 - 1;
const ID_BYTES = 16;

/** What a blob is bound to: it opens in no other node, record or version. */
export interface BlobContext {
  /** 16 random bytes as 32 lower-case hex digits. */
  readonly nodeId: string;
  readonly recordId: RecordId;
  readonly version: number;
}

/** What a wrapped DEK is bound to, besides its KEK. */
export interface DekContext {
  readonly recordId: RecordId;
  readonly version: number;
}

/** The AAD of a blob's payload, which is the HKDF `info` of its Tink segment key. Throws on ids of the wrong shape (a bug). */
export function blobAad(context: BlobContext): Uint8Array {
  return concat(Uint8Array.of(ENVELOPE_VERSION), idBytes(context.nodeId), recordPart(context));
}

/** The AAD of a wrapped DEK. Throws on ids of the wrong shape (a bug). */
export function dekAad(kekId: string, context: DekContext): Uint8Array {
  const name = utf8ToBytes(kekId);
  if (name.length > 255) throw new RangeError('kek id longer than 255 bytes');
  return concat(Uint8Array.of(ENVELOPE_VERSION, name.length), name, recordPart(context));
}

function recordPart(context: DekContext): Uint8Array {
  const { version } = context;
  if (!Number.isInteger(version) || version < 1 || version > MAX_RECORD_VERSION) {
    throw new RangeError('record version out of range');
  }
  const part = new Uint8Array(ID_BYTES + 4);
  part.set(idBytes(context.recordId), 0);
  part.set(uint32(version), ID_BYTES);
  return part;
}

function idBytes(hex: string): Uint8Array {
  const bytes = hexToBytes(hex);
  if (bytes.length !== ID_BYTES) throw new RangeError('id is not 16 bytes');
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
