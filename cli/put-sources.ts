import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { givePieceBack, PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';
import { NectarError } from '../protocol/errors.ts';
import { GUESS_HEAD_BYTES, guessContentType } from './content-type.ts';
import type { Terminal } from './terminal.ts';

/** One thing to put: a file, or stdin. */
export interface PutSource {
  /** As the person named it; `-` is stdin. */
  readonly file: string;
  /** The record's name unless --name says another. */
  readonly name: string | undefined;
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

const head = Buffer.alloc(GUESS_HEAD_BYTES);

/**
 * The files behind the operands, folders walked in name order. Links inside folders are not followed, so that a folder cannot
 * lead out of itself; other special files are left out.
 *
 * @throws NectarError CLI_FILE_UNREADABLE
 */
export async function* putSources(operands: readonly string[], terminal: Terminal): AsyncGenerator<PutSource> {
  for (const operand of operands) {
    if (operand === '-') {
      yield stdinSource(terminal);
      continue;
    }
    const found = await readable(operand, () => stat(operand));
    if (found.isDirectory()) {
      for await (const path of walk(operand)) yield await fileSource(path, relative(operand, path));
    } else if (found.isFile()) {
      yield await fileSource(operand, basename(operand));
    } else {
      throw new NectarError('CLI_FILE_UNREADABLE', { path: operand, reason: 'neither a file nor a folder' });
    }
  }
}

async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await readable(folder, () => readdir(folder, { withFileTypes: true }));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** Reads the beginning in one go and waits for it: of thousands of small files, four turns through the thread pool each cost more. */
async function fileSource(path: string, name: string): Promise<PutSource> {
  const { read, size, mtimeMs, ino, dev } = await readable(path, async () => {
    const file = openSync(path, 'r');
    try {
      const { size, mtimeMs, ino, dev } = fstatSync(file);
      return { read: readSync(file, head, 0, head.length, 0), size, mtimeMs, ino, dev };
    } finally {
      closeSync(file);
    }
  });
  const beginning = head.subarray(0, read);
  const identity = [dev, ino, size, mtimeMs];
  const found = { file: path, name, bytes: size, contentType: guessContentType(path, beginning), identity };
  if (read !== size) return { ...found, open: (start = 0) => exactly(path, { start, size, changedAt: mtimeMs }) };
  const content = Buffer.from(beginning);
  return { ...found, content, open: (start = 0) => once(content.subarray(start)) };
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}

/** The file's bytes, and an error when it has changed since its size was announced: half of one and half of another is neither. */
async function* exactly(
  path: string,
  { start, size, changedAt }: { readonly start: number; readonly size: number; readonly changedAt: number },
): AsyncGenerator<Uint8Array> {
  if (start > 0 && (await stat(path)).mtimeMs !== changedAt) throw new NectarError('CLI_FILE_CHANGED', { path });
  const file = await open(path, 'r');
  try {
    for (let sent = start; sent < size; ) {
      const piece = takePiece();
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, size - sent), sent);
      if (bytesRead === 0) {
        givePieceBack(piece);
        throw new NectarError('CLI_FILE_CHANGED', { path });
      }
      sent += bytesRead;
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
    bytes: undefined,
    contentType: 'application/octet-stream',
    open: () => terminal.stdin as AsyncIterable<Uint8Array>,
  };
}

async function readable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NectarError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}
