import { createHash } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import { indexPath, TILE_WIDTH } from '../../protocol/merkle/tile.ts';

/**
 * `bodies/N`: the log's write-ahead file, and at once where bodies live. It holds the leaves 256 N to 256 N + 255 with their
 * sealed bodies, in groups: one group is what one fsync made durable.
 *
 *   group   = "NAB1" | first index (8) | count (2) | payload length (4) | SHA-256 of those and the payload (32) | payload
 *   payload = count times: leaf length (2) | leaf | sealed length (4) | sealed body        (sealed length 0: body erased)
 *
 * Integers are big-endian. The hash tells a torn write from a whole one; against an adversary stand the seal and the tree.
 */
export interface StoredEntry {
  readonly leaf: Uint8Array;
  /** nonce | ciphertext | tag; undefined once the body has been erased. */
  readonly sealed: Uint8Array | undefined;
}

/** A parsed body bundle. */
export interface BodyBundle {
  readonly entries: readonly StoredEntry[];
  /** Bytes of whole groups. */
  readonly length: number;
  /** Bytes behind them, of a write that never completed. */
  readonly torn: number;
}

const MAGIC = Buffer.from('NAB1');
const HEADER_BYTES = 18;
const HASH_BYTES = 32;

/** Path of the body bundle that holds leaf 256 * bundle. */
export function bodyBundlePath(bundle: number): string {
  return `bodies/${indexPath(bundle)}`;
}

export function encodeGroup(firstIndex: number, entries: readonly StoredEntry[]): Uint8Array {
  const payload = Buffer.concat(entries.flatMap(encodeEntry));
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(firstIndex), 4);
  header.writeUInt16BE(entries.length, 12);
  header.writeUInt32BE(payload.length, 14);
  return Buffer.concat([header, hashOf(header, payload), payload]);
}

/**
 * Parses a body bundle. What does not parse at the end is a torn write; the same before a whole group is not, since groups
 * are written one after the other: AUDIT_BUNDLE_INVALID.
 */
export function parseBodyBundle(bytes: Uint8Array, bundle: number): BodyBundle {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: StoredEntry[] = [];
  let length = 0;
  while (length < data.length) {
    const group = parseGroup(data, length, { bundle, firstIndex: bundle * TILE_WIDTH + entries.length });
    if (group === undefined) break;
    entries.push(...group.entries);
    length = group.end;
  }
  const torn = data.length - length;
  if (entries.length > TILE_WIDTH) refuse(bundle, 'it holds more than 256 entries');
  if (torn > 0 && hasGroupBehind(data, length + 1)) refuse(bundle, 'a write before its last one was altered');
  return { entries, length, torn };
}

function encodeEntry({ leaf, sealed }: StoredEntry): Uint8Array[] {
  const leafLength = Buffer.alloc(2);
  leafLength.writeUInt16BE(leaf.length);
  const sealedLength = Buffer.alloc(4);
  sealedLength.writeUInt32BE(sealed?.length ?? 0);
  return [leafLength, leaf, sealedLength, sealed ?? new Uint8Array()];
}

function parseGroup(
  data: Buffer,
  at: number,
  place: { bundle: number; firstIndex: number },
): { entries: StoredEntry[]; end: number } | undefined {
  const whole = wholeGroup(data, at);
  if (whole === undefined || whole.firstIndex !== BigInt(place.firstIndex)) return undefined;
  return { entries: parsePayload(whole.payload, whole.count, place.bundle), end: whole.end };
}

/** The hash over a group keeps nobody from making one: its lengths are not believed. */
function parsePayload(payload: Buffer, count: number, bundle: number): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > payload.length) refuse(bundle, 'an entry is cut short');
    at += length;
    return payload.subarray(at - length, at);
  };
  while (entries.length < count) {
    const leaf = take(take(2).readUInt16BE());
    const sealed = take(take(4).readUInt32BE());
    entries.push({ leaf, sealed: sealed.length === 0 ? undefined : sealed });
  }
  if (at !== payload.length || count === 0) refuse(bundle, 'the number of entries is wrong');
  return entries;
}

/** The group at a place, when all of it is there and its hash holds. */
function wholeGroup(
  data: Buffer,
  at: number,
): { firstIndex: bigint; count: number; payload: Buffer; end: number } | undefined {
  const start = at + HEADER_BYTES + HASH_BYTES;
  if (start > data.length || data.compare(MAGIC, 0, 4, at, at + 4) !== 0) return undefined;
  const header = data.subarray(at, at + HEADER_BYTES);
  const end = start + header.readUInt32BE(14);
  if (end > data.length) return undefined;
  const payload = data.subarray(start, end);
  if (!hashOf(header, payload).equals(data.subarray(at + HEADER_BYTES, start))) return undefined;
  return { firstIndex: header.readBigUInt64BE(4), count: header.readUInt16BE(12), payload, end };
}

function hasGroupBehind(data: Buffer, from: number): boolean {
  for (let at = data.indexOf(MAGIC, from); at >= 0; at = data.indexOf(MAGIC, at + 1)) {
    if (wholeGroup(data, at) !== undefined) return true;
  }
  return false;
}

function hashOf(header: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('sha256').update(header).update(payload).digest();
}

function refuse(bundle: number, reason: string): never {
  throw new NectarError('AUDIT_BUNDLE_INVALID', { path: bodyBundlePath(bundle), reason });
}
