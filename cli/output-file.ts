import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDiskFull, publish, stagedPath, sweepStaged } from '../appliance/durable-file.ts';
import { givePieceBack } from '../appliance/page-memory.ts';
import { NectarError } from '../protocol/errors.ts';
import { openStream, outputPlace } from './output-place.ts';
import { createPieceWriter } from './piece-writer.ts';

/**
 * Writes a stream to `path` so that the name appears only when every byte is there and on the disk: a temporary file beside
 * it, fsync, then a rename, or without `force` a link, which fails where the name has appeared meanwhile. A pipe or a device is written
 * through.
 *
 * @throws NectarError CLI_OUTPUT_EXISTS, CLI_OUTPUT_UNWRITABLE, NODE_DISK_FULL
 */
export async function writeOutputFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  force: boolean,
): Promise<number> {
  const place = await outputPlace(path, force);
  if (place.kind === 'stream') return writeThrough(place.path, source);
  const folder = dirname(place.path);
  await sweepStaged(folder);
  const temporary = stagedPath(folder);
  const handle = await writing(path, () => open(temporary, 'wx', 0o600));
  try {
    const bytes = await writeAll({ path, temporary }, handle, source);
    await writing(path, () => publish(temporary, place.path, force ? 'replace' : 'create'));
    return bytes;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeThrough(path: string, source: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await writing(path, () => openStream(path));
  let bytes = 0;
  try {
    for await (const chunk of source) {
      // No position: a pipe has none.
      for (let at = 0; at < chunk.length; )
        at += (await writing(path, () => handle.write(chunk, at, chunk.length - at, null))).bytesWritten;
      bytes += chunk.length;
      givePieceBack(chunk);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function writeAll(
  { path, temporary }: { path: string; temporary: string },
  handle: FileHandle,
  source: AsyncIterable<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  const pieces = createPieceWriter(temporary, handle);
  try {
    for await (const chunk of source) {
      await writing(path, () => pieces.add(chunk));
      bytes += chunk.length;
    }
    await writing(path, () => pieces.end());
    await writing(path, () => handle.sync());
  } finally {
    await pieces.close();
    await handle.close();
  }
  return bytes;
}

/** Runs work that writes `path`, and says what went wrong in the words of the command line. */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException;
    // What the source threw, and an interruption, are no fault of the file.
    if (error instanceof NectarError || name === 'AbortError') throw error;
    if (isDiskFull(error)) throw new NectarError('NODE_DISK_FULL', { path }, { cause: error });
    if (code === 'EEXIST') throw new NectarError('CLI_OUTPUT_EXISTS', { path }, { cause: error });
    throw new NectarError('CLI_OUTPUT_UNWRITABLE', { path, reason: code ?? message }, { cause: error });
  }
}
