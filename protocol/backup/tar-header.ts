/**
 * Headers of a POSIX ustar archive (IEEE Std 1003.1-2017, pax, "ustar Interchange Format"), as far as a backup needs them:
 * regular files only. What `tar` writes beyond that (links, devices, pax records) is refused, not skipped.
 */
import { asciiToBytes, bytesToAscii } from './ascii.ts';

/** Bytes of a header, and what every file's content is padded to. */
export const TAR_BLOCK_BYTES = 512;
/** Eleven octal digits. */
export const MAX_TAR_FILE_BYTES = 8 ** 11 - 1;

const NAME_LENGTH = 100;
const PREFIX_LENGTH = 155;
const MAGIC = 'ustar\u000000';

/** A regular file in an archive. `modifiedAt` in seconds since 1970. */
export interface TarFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/** The 512 bytes before a file's content. Mode 0600, owner 0. Throws RangeError for a path or size that ustar cannot hold. */
export function encodeTarHeader({ path, size, modifiedAt }: TarFile): Uint8Array {
  const { prefix, name } = splitPath(path);
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_TAR_FILE_BYTES) throw new RangeError('tar: file too large');
  const header = new Uint8Array(TAR_BLOCK_BYTES);
  const put = (at: number, text: string): void => header.set(asciiToBytes(text), at);
  put(0, name);
  put(100, '0000600\0');
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(modifiedAt, 11)}\0`);
  put(156, '0');
  put(257, MAGIC);
  put(345, prefix);
  put(148, `${octal(checksum(header), 6)}\0 `);
  return header;
}

/**
 * Parses a header of exactly 512 bytes.
 *
 * @returns the file; `'end'` for a block of zeros; undefined when it is no header of a regular file as encodeTarHeader makes it
 */
export function parseTarHeader(header: Uint8Array): TarFile | 'end' | undefined {
  if (header.length !== TAR_BLOCK_BYTES) return undefined;
  if (header.every((byte) => byte === 0)) return 'end';
  const text = (from: number, to: number): string => bytesToAscii(header.subarray(from, to)).replace(/\0.*$/s, '');
  const prefix = text(345, 500);
  const file: TarFile = {
    path: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    size: Number.parseInt(text(124, 136), 8),
    modifiedAt: Number.parseInt(text(136, 148), 8),
  };
  // One encoding for every file: whatever differs from what we would have written is not ours.
  return isSame(header, file) ? file : undefined;
}

/** Zero bytes after a content of this size. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function isSame(header: Uint8Array, file: TarFile): boolean {
  try {
    const expected = encodeTarHeader(file);
    return header.every((byte, i) => byte === expected[i]);
  } catch {
    return false;
  }
}

function splitPath(path: string): { prefix: string; name: string } {
  if (path.length <= NAME_LENGTH) return { prefix: '', name: path };
  const slash = path.indexOf('/', path.length - NAME_LENGTH - 1);
  if (slash < 1 || slash > PREFIX_LENGTH) throw new RangeError('tar: path too long');
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function octal(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('tar: not a number that a header can hold');
  const text = value.toString(8).padStart(digits, '0');
  if (text.length > digits) throw new RangeError('tar: number too large');
  return text;
}

/** The sum of all bytes, its own field counted as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}
