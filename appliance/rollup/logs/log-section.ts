import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { addBlock, type BlockSet } from './block-set.ts';
import { MAX_SECTION_BLOCKS, type SectionEntries } from './log-tail.ts';

/** Consecutive blocks whose entries are on disk: sorted by fingerprint, cut into rows by the fingerprint's first bits. */
export interface LogSection {
  readonly first: bigint;
  readonly size: number;
  /** There are 2^rowBits rows. */
  readonly rowBits: number;
  /** Hash of its last block; undefined when the database did not have it. */
  readonly lastHash: Hex | undefined;
}

const VERSION = 1;
const SECTION_BYTES = 44;
const ENTRY_BYTES = 6;
/** Some 2 KiB: what one look-up reads. */
const ENTRIES_PER_ROW = 341;
const MAX_ROW_BITS = 14;
const NO_HASH: Hex = `0x${'00'.repeat(32)}`;

/** Enough rows that one of average length has ENTRIES_PER_ROW entries. */
export function rowBitsFor(entries: number): number {
  return Math.min(MAX_ROW_BITS, Math.max(0, Math.ceil(Math.log2(entries / ENTRIES_PER_ROW))));
}

export function rowOf(fingerprint: number, rowBits: number): number {
  return rowBits === 0 ? 0 : fingerprint >>> (32 - rowBits);
}

/** The rows of a section: entries of 32 bits of fingerprint and 16 bits of offset, in order. */
export function encodeRows({ fingerprints, offsets }: SectionEntries, rowBits: number): Uint8Array[] {
  // Both fit into a float's 53 bits, and numbers are sorted natively.
  const entries = Float64Array.from(fingerprints, (fingerprint, i) => fingerprint * 65_536 + (offsets[i] ?? 0)).sort();
  const starts = new Uint32Array((1 << rowBits) + 1);
  for (const fingerprint of fingerprints) {
    const next = rowOf(fingerprint, rowBits) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let row = 1; row < starts.length; row++) starts[row] = (starts[row] ?? 0) + (starts[row - 1] ?? 0);
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [i, entry] of entries.entries()) bytes.writeUIntBE(entry, i * ENTRY_BYTES, ENTRY_BYTES);
  return Array.from({ length: 1 << rowBits }, (_, row) =>
    bytes.subarray((starts[row] ?? 0) * ENTRY_BYTES, (starts[row + 1] ?? 0) * ENTRY_BYTES),
  );
}

/** Adds the blocks in which any of the fingerprints is, as far as this row says. Throws ROLLUP_DATABASE_INVALID. */
export function findInRow(row: Uint8Array, wanted: ReadonlySet<number>, into: BlockSet): void {
  if (row.length % ENTRY_BYTES !== 0)
    throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'row of the log index' });
  const view = new DataView(row.buffer, row.byteOffset, row.length);
  for (let at = 0; at < row.length; at += ENTRY_BYTES) {
    if (wanted.has(view.getUint32(at))) addBlock(into, view.getUint16(at + 4));
  }
}

/** Version, first block (8 bytes), blocks (2), row bits (1), hash of the last block. */
export function encodeSection({ first, size, rowBits, lastHash }: LogSection): Uint8Array {
  const bytes = Buffer.alloc(SECTION_BYTES);
  bytes.writeUInt8(VERSION);
  bytes.writeBigUInt64BE(first, 1);
  bytes.writeUInt16BE(size, 9);
  bytes.writeUInt8(rowBits, 11);
  bytes.set(hexToBytes(lastHash ?? NO_HASH), 12);
  return bytes;
}

/** Undefined for what another version wrote, or is no section: it is built anew. */
export function decodeSection(bytes: Uint8Array): LogSection | undefined {
  const view = Buffer.from(bytes);
  if (view.length !== SECTION_BYTES || view[0] !== VERSION) return undefined;
  const [size, rowBits, lastHash] = [view.readUInt16BE(9), view[11] ?? 0, bytesToHex(bytes.subarray(12))];
  if (size === 0 || size > MAX_SECTION_BLOCKS || rowBits > MAX_ROW_BITS) return undefined;
  return { first: view.readBigUInt64BE(1), size, rowBits, lastHash: lastHash === NO_HASH ? undefined : lastHash };
}
