import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { givePieceBack, PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';
import { isNectarError, NectarError } from '../protocol/errors.ts';
import { GUESS_HEAD_BYTES, guessContentType } from './content-type.ts';
import { labelOf, recordNameOf, textOfName } from './file-name.ts';
import type { Terminal } from './terminal.ts';

/** One thing to put: a file, stdin, or what a command prints. */
export interface PutSource {
  /** As the person named it; `-` is stdin. */
  readonly file: string;
  /** The record's name unless --name says another. */
  readonly name: string | undefined;
  /** The folders between the operand and the file. */
  readonly folders: readonly string[];
  /** undefined for stdin. */
  readonly bytes: number | undefined;
  readonly contentType: string;
  /** What tells this very file, as it is now, from any other; undefined for stdin. */
  readonly identity?: readonly unknown[];
  /** All of a small file, read when it was found. */
  readonly content?: Uint8Array;
  /** From a byte on; stdin only from its beginning. Its pieces are the reader's to free (stream-memory.ts). */
  open(start?: number): AsyncIterable<Uint8Array>;
}

/** What stands at one place below the operands: something to put, or why it is none. */
export type Found =
  | { readonly source: PutSource }
  | { readonly file: string; readonly error: NectarError }
  | { readonly file: string; readonly leftOut: string };

const head = Buffer.alloc(GUESS_HEAD_BYTES);
const SLASH = Buffer.from('/');

/**
 * What is behind the operands, folders walked in the order of their bytes. Names are what the file system has, which need not be
 * UTF-8. Links inside folders are not followed, so that a folder cannot lead out of itself; they and other special files are left out,
 * and said. What cannot be read is said and ends nothing.
 */
export async function* putSources(operands: readonly string[], terminal: Terminal): AsyncGenerator<Found> {
  for (const operand of operands) {
    if (operand === '-') yield { source: stdinSource(terminal) };
    else for (const path of await pathsOf(operand)) yield* operandAt(path);
  }
}

/**
 * A shell hands over bytes, and Node makes text of them: of a name that is no UTF-8 it keeps what can be read. Such an operand stands
 * for every file whose name reads so; one that is given twice is put once.
 */
async function pathsOf(operand: string): Promise<readonly Buffer[]> {
  const path = Buffer.from(operand);
  if (!operand.includes('\ufffd') || (await exists(path))) return [path];
  let found: Buffer[] = [Buffer.from(operand.startsWith('/') ? '/' : '')];
  for (const part of operand.split('/').filter((name) => name !== '')) {
    if (!part.includes('\ufffd')) {
      found = found.map((folder) => joined(folder, Buffer.from(part)));
      continue;
    }
    const below = await Promise.all(
      found.map(async (folder) => {
        const names = await readdir(folder.length === 0 ? '.' : folder, { encoding: 'buffer' }).catch(() => []);
        return names.filter((name) => name.toString('utf8') === part).map((name) => joined(folder, name));
      }),
    );
    found = below.flat().sort(Buffer.compare);
  }
  return found.length === 0 ? [path] : found;
}

async function* operandAt(path: Buffer): AsyncGenerator<Found> {
  const file = textOfName(path);
  const found = await attempt(file, () => stat(path));
  if (isNectarError(found)) yield { file, error: found };
  else if (found.isDirectory()) yield* walk(path, []);
  else if (found.isFile()) yield fileAt(path, []);
  else
    yield {
      file,
      error: new NectarError('CLI_FILE_UNREADABLE', { path: file, reason: 'neither a file nor a folder' }),
    };
}

async function* walk(folder: Buffer, folders: readonly string[]): AsyncGenerator<Found> {
  const file = textOfName(folder);
  const entries = await attempt(file, () => readdir(folder, { withFileTypes: true, encoding: 'buffer' }));
  if (isNectarError(entries)) {
    yield { file, error: entries };
    return;
  }
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const path = joined(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path, [...folders, textOfName(entry.name)]);
    else if (entry.isFile()) yield fileAt(path, folders);
    else yield { file: textOfName(path), leftOut: entry.isSymbolicLink() ? 'a link' : 'neither a file nor a folder' };
  }
}

function joined(folder: Buffer, name: Buffer): Buffer {
  return folder.length === 0 || folder.at(-1) === SLASH[0]
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, SLASH, name]);
}

/** Reads the beginning in one go and waits for it: of thousands of small files, four turns through the thread pool each cost more. */
function fileAt(path: Buffer, folders: readonly string[]): Found {
  const file = textOfName(path);
  try {
    return { source: readSource(path, file, folders) };
  } catch (error) {
    return { file, error: unreadable(file, error) };
  }
}

function readSource(path: Buffer, file: string, folders: readonly string[]): PutSource {
  const { read, size, mtimeNs, ctimeNs } = beginningOf(path);
  const beginning = head.subarray(0, read);
  const found = {
    file,
    name: recordNameOf([...folders, basename(file)].join('/')),
    folders: folders.map(labelOf),
    bytes: size,
    contentType: guessContentType(file, beginning),
  };
  const place = absolute(path);
  if (read !== size) {
    // No number of a device or an inode: those of a share are others after each mount. A change of content has a new ctime, whatever sets the mtime back.
    const identity = [place, size, String(mtimeNs), String(ctimeNs)];
    return { ...found, identity, open: (start = 0) => exactly(path, { file, start, size, changedAt: mtimeNs }) };
  }
  const content = Buffer.from(beginning);
  const identity = [place, size, hash('sha256', content)];
  return { ...found, identity, content, open: (start = 0) => once(content.subarray(start)) };
}

function beginningOf(path: Buffer) {
  const file = openSync(path, 'r');
  try {
    const { size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
    return { read: readSync(file, head, 0, head.length, 0), size: Number(size), mtimeNs, ctimeNs };
  } finally {
    closeSync(file);
  }
}

/** Every byte is a character of its own, so that two names which read alike are two. */
function absolute(path: Buffer): string {
  return resolve(Buffer.from(process.cwd()).toString('latin1'), path.toString('latin1'));
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}

interface Extent {
  readonly file: string;
  readonly start: number;
  readonly size: number;
  readonly changedAt: bigint;
}

/** The file's bytes, and an error when it has changed since its size was announced: half of one and half of another is neither. */
async function* exactly(path: Buffer, { file: name, start, size, changedAt }: Extent): AsyncGenerator<Uint8Array> {
  const changed = () => new NectarError('CLI_FILE_CHANGED', { path: name });
  const file = await readable(name, () => open(path, 'r'));
  try {
    if (start > 0 && (await file.stat({ bigint: true })).mtimeNs !== changedAt) throw changed();
    for (let sent = start; sent < size; ) {
      const piece = takePiece();
      const { bytesRead } = await readable(name, () => file.read(piece, 0, Math.min(PIECE_BYTES, size - sent), sent));
      if (bytesRead === 0) {
        givePieceBack(piece);
        throw changed();
      }
      sent += bytesRead;
      // Before the last piece leaves: without it the node keeps nothing.
      if (sent >= size && (await file.stat({ bigint: true })).mtimeNs !== changedAt) {
        givePieceBack(piece);
        throw changed();
      }
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function stdinSource(terminal: Terminal): PutSource {
  return {
    file: '-',
    name: undefined,
    folders: [],
    bytes: undefined,
    contentType: 'application/octet-stream',
    open: () => terminal.stdin as AsyncIterable<Uint8Array>,
  };
}

async function exists(path: Buffer): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T | NectarError> {
  return work().catch((error: unknown) => unreadable(path, error));
}

async function readable<T>(path: string, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => Promise.reject(unreadable(path, error)));
}

function unreadable(path: string, error: unknown): NectarError {
  if (isNectarError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
}
