import { posix } from 'node:path';

/** One member of a layer. Paths are relative, without a leading or trailing slash. */
export type TarEntry = {
  readonly path: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
} & (
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly target: string }
);

const BLOCK_BYTES = 512;
const TYPES = { file: '0', link: '2', directory: '5' } as const;

/**
 * A POSIX ustar archive that depends on nothing but its content: sorted names, one time for every member, no user names, no
 * pax records. Parent directories that the entries do not name are added (0755, root).
 *
 * @param mtime seconds since 1970, for every member
 */
export function encodeTar(entries: readonly TarEntry[], mtime: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of withParents(entries)) {
    const content = entry.kind === 'file' ? entry.content : new Uint8Array();
    parts.push(header(entry, content.length, mtime), content, new Uint8Array(padding(content.length)));
  }
  parts.push(new Uint8Array(2 * BLOCK_BYTES));
  return Buffer.concat(parts);
}

function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new Error(`${entry.path} is twice in one layer`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) {
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { kind: 'directory', path: parent, mode: 0o755 });
    }
  }
  // By bytes, not by locale; a directory sorts before what is in it.
  return [...byPath.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function padding(length: number): number {
  return (BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES;
}

function header(entry: TarEntry, size: number, mtime: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { name, prefix } = splitName(entry.kind === 'directory' ? `${entry.path}/` : entry.path);
  const number = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  };
  block.write(name, 0, 'utf8');
  number(entry.mode, 100, 8);
  number(entry.uid ?? 0, 108, 8);
  number(entry.gid ?? 0, 116, 8);
  number(size, 124, 12);
  number(mtime, 136, 12);
  block.fill(' ', 148, 156);
  block.write(TYPES[entry.kind], 156, 'latin1');
  if (entry.kind === 'link') writeField(block, entry.target, 157, 100);
  block.write('ustar\u000000', 257, 'latin1');
  number(0, 329, 8);
  number(0, 337, 8);
  block.write(prefix, 345, 'utf8');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function writeField(block: Buffer, text: string, offset: number, length: number): void {
  if (Buffer.byteLength(text) > length) throw new Error(`${text} does not fit into ${length} bytes of a tar header`);
  block.write(text, offset, 'utf8');
}

function splitName(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let cut = path.indexOf('/'); cut !== -1; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100 && name !== '') return { name, prefix };
  }
  throw new Error(`${path} is too long for a ustar header`);
}

/** A member as it was read: `encodeTar` upside down, for tests and for what an engine gives back. */
export interface ReadEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly target: string;
  readonly content: Uint8Array;
}

/** Reads a ustar or GNU archive (long names too); pax records are skipped, but for the path. */
export function* decodeTar(bytes: Uint8Array): Generator<ReadEntry> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let longName: string | undefined;
  for (let at = 0; at + BLOCK_BYTES <= buffer.length && buffer[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      buffer.toString('utf8', at + from, at + from + length).replace(/\0[\s\S]*$/, '');
    const number = (from: number, length: number): number => Number.parseInt(text(from, length).trim() || '0', 8);
    const size = number(124, 12);
    const type = text(156, 1) || '0';
    const content = buffer.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size);
    const path = longName ?? (text(345, 155) === '' ? text(0, 100) : `${text(345, 155)}/${text(0, 100)}`);
    longName = undefined;
    if (type === 'L') longName = content.toString('utf8').replace(/\0+$/, '');
    else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(content.toString('utf8'))?.[1];
    else if (type !== 'g') {
      const numbers = { mode: number(100, 8), uid: number(108, 8), gid: number(116, 8), mtime: number(136, 12) };
      yield { path: path.replace(/^\.\//, '').replace(/\/$/, ''), type, ...numbers, target: text(157, 100), content };
    }
    at += BLOCK_BYTES + size + padding(size);
  }
}
