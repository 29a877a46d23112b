import { type FileHandle, open } from 'node:fs/promises';
import { NectarError } from '../../../protocol/errors.ts';
import type { BackupEntry } from './entry.ts';

const CHUNK_BYTES = 1024 * 1024;

/** An open file at the size that it had: what is appended later is not seen, and removing its name does not take it away. */
export interface PinnedFile extends BackupEntry {
  close(): Promise<void>;
}

/** undefined when there is no such file (any more). `limit` cuts off what was appended since somebody looked. */
export async function pinFile(
  file: string,
  path: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<PinnedFile | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new NectarError('CLI_FILE_UNREADABLE', { path: file, reason: error.code ?? error.message }, { cause: error });
  });
  if (handle === undefined) return undefined;
  const found = await handle.stat();
  const size = Math.min(found.size, limit);
  const modifiedAt = Math.floor(found.mtimeMs);
  return { path, size, modifiedAt, read: () => readExactly(handle, { path, size }), close: () => handle.close() };
}

async function* readExactly(
  handle: FileHandle,
  { path, size }: { path: string; size: number },
): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: path });
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Yields the file and closes it, whatever happens to the reader. */
export async function* releasing(files: readonly PinnedFile[]): AsyncGenerator<BackupEntry> {
  const open = [...files];
  try {
    for (let file = open.shift(); file !== undefined; file = open.shift()) {
      try {
        yield file;
      } finally {
        await file.close();
      }
    }
  } finally {
    for (const file of open) await file.close();
  }
}
