import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
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
  open(): AsyncIterable<Uint8Array>;
}

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

async function fileSource(path: string, name: string): Promise<PutSource> {
  const head = Buffer.alloc(GUESS_HEAD_BYTES);
  const { size, read } = await readable(path, async () => {
    const handle = await open(path);
    try {
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      return { size: (await handle.stat()).size, read: bytesRead };
    } finally {
      await handle.close();
    }
  });
  return {
    file: path,
    name,
    bytes: size,
    contentType: guessContentType(path, head.subarray(0, read)),
    open: () => exactly(path, size),
  };
}

/** The file's bytes, and an error when it has grown or shrunk since its size was announced. */
async function* exactly(path: string, size: number): AsyncGenerator<Uint8Array> {
  let sent = 0;
  if (size > 0) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, end: size - 1 })) {
      sent += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  if (sent !== size) throw new NectarError('CLI_FILE_CHANGED', { path });
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
