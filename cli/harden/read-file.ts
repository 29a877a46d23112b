import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import type { Terminal } from '../terminal.ts';

/** A whole file that somebody names, `-` for stdin; never more than `most` bytes of it. @throws NectarError CLI_FILE_UNREADABLE */
export async function readNamedFile(terminal: Terminal, name: string, most: number): Promise<Uint8Array> {
  const path = name === '-' ? 'stdin' : resolve(terminal.workingFolder, name);
  try {
    return name === '-' ? await readBounded(terminal.stdin, most) : await readFileBounded(path, most);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}

/** The same; undefined where there is no such file. */
export async function findNamedFile(terminal: Terminal, name: string, most: number): Promise<Uint8Array | undefined> {
  try {
    return await readNamedFile(terminal, name, most);
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readFileBounded(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    return await readBounded(file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }), most);
  } finally {
    await file.close();
  }
}

async function readBounded(source: AsyncIterable<unknown>, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > most) throw new Error(`longer than ${most} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}
