import { createByteQueue } from './byte-queue.ts';

const BLOCK_BYTES = 512;
/** Of a long name or the records of one entry: some engines write a few hundred bytes. */
const MAX_EXTENSION_BYTES = 1024 * 1024;

const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'folder',
};

/** One member of an archive. */
export interface TarEntry {
  /** As the archive has it, without a leading `./` or `/` and without a trailing `/`. */
  readonly path: string;
  readonly type: 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';
  readonly linkTarget: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Its pax records (POSIX.1-2001), such as SCHILY.xattr.security.capability. */
  readonly records: Readonly<Record<string, string>>;
  /** What of it is not read before the next entry is asked for is passed over. */
  content(): AsyncIterable<Uint8Array>;
}

interface Extensions {
  records: Record<string, string>;
  path?: string;
  linkTarget?: string;
}

/**
 * The members of an archive as an engine writes it: ustar, pax and GNU names. An archive that ends before its blocks of zeros was
 * cut off, and so were the members that nobody saw: it throws.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const queue = createByteQueue(source);
  let extensions: Extensions = { records: {} };
  for (;;) {
    const header = Buffer.from(await queue.take(BLOCK_BYTES));
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const flag = String.fromCharCode(header[156] ?? 0);
    const bytes = Number(extensions.records.size ?? numberAt(header, 124, 12));
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error('the archive has a member of no possible size');
    const padding = (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if ('xgLK'.includes(flag) && flag !== '\0') {
      if (bytes > MAX_EXTENSION_BYTES) throw new Error('the archive has an extended header that is too long');
      extend(extensions, flag, await queue.take(bytes));
      await queue.skip(padding);
      continue;
    }
    const type = TYPES[flag] ?? 'other';
    let left = type === 'file' || type === 'other' ? bytes : 0;
    const { records } = extensions;
    yield {
      path: cleanPath(records.path ?? extensions.path ?? nameOf(header)),
      type,
      linkTarget: records.linkpath ?? extensions.linkTarget ?? textAt(header, 157, 100),
      mode: numberAt(header, 100, 8) & 0o7777,
      uid: Number(records.uid ?? numberAt(header, 108, 8)),
      gid: Number(records.gid ?? numberAt(header, 116, 8)),
      bytes: left,
      modifiedAt: Math.trunc(Number(records.mtime ?? numberAt(header, 136, 12)) * 1000),
      records,
      async *content() {
        while (left > 0) {
          const chunk = await queue.some(left);
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    extensions = { records: {} };
    if (type === 'file' || type === 'other') await queue.skip(left + padding);
  }
}

function extend(extensions: Extensions, flag: string, content: Uint8Array): void {
  const text = Buffer.from(content).toString('utf8');
  if (flag === 'L') extensions.path = text.replace(/\0.*$/s, '');
  if (flag === 'K') extensions.linkTarget = text.replace(/\0.*$/s, '');
  if (flag === 'x') extensions.records = { ...extensions.records, ...parseRecords(Buffer.from(content)) };
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself, in bytes. A value that is binary is kept byte for byte (latin1). */
function parseRecords(content: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.toString('latin1', at, space));
    const end = at + length;
    if (space < 0 || !Number.isSafeInteger(length) || length < 5 || end > content.length)
      throw new Error('the archive has malformed pax records');
    const equals = content.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw new Error('the archive has malformed pax records');
    const key = content.toString('utf8', space + 1, equals);
    const encoding = key.startsWith('SCHILY.xattr.') ? 'latin1' : 'utf8';
    records[key] = content.toString(encoding, equals + 1, end - 1);
    at = end;
  }
  return records;
}

function nameOf(header: Buffer): string {
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textAt(header, 345, 155) : '';
  return prefix === '' ? textAt(header, 0, 100) : `${prefix}/${textAt(header, 0, 100)}`;
}

function cleanPath(path: string): string {
  return path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
}

function textAt(header: Buffer, at: number, length: number): string {
  return header.toString('utf8', at, at + length).replace(/\0.*$/s, '');
}

/** Octal digits, or GNU's big-endian number with the top bit set. */
function numberAt(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
  }
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw new Error('the archive has a header with a number that is none');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function checkSum(header: Buffer): void {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (sum !== numberAt(header, 148, 8)) throw new Error('what the engine sent is not an archive');
}
