import { NectarError } from '../errors.ts';
import { TILE_WIDTH } from './tile.ts';

/** Longest entry: its length is a uint16 (C2SP tlog-tiles). */
export const MAX_ENTRY_BYTES = 65_535;

/** Encodes entries as a C2SP bundle: each with its length as a big-endian uint16 before it. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new NectarError('AUDIT_LEAF_INVALID', { reason: 'longer than 65535 bytes' });
    bytes.set([entry.length >> 8, entry.length & 255], at);
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/**
 * Parses a bundle of exactly `width` entries (1 to 256); throws AUDIT_TILE_INVALID naming `path` when it has fewer, more, or
 * bytes to spare.
 */
export function parseEntryBundle(bytes: Uint8Array, width: number, path: string): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < TILE_WIDTH) {
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    const end = at + 2 + length;
    if (end > bytes.length) throw new NectarError('AUDIT_TILE_INVALID', { path, reason: 'an entry is cut short' });
    entries.push(bytes.slice(at + 2, end));
    at = end;
  }
  if (at !== bytes.length || entries.length !== width)
    throw new NectarError('AUDIT_TILE_INVALID', { path, reason: 'the number of entries is wrong' });
  return entries;
}
