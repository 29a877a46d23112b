import { existsSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDiskFull, publish, stagedPath, sweepStaged } from '../appliance/durable-file.ts';
import { NectarError } from '../protocol/errors.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * Writes a stream to `path` so that the name appears only when every byte is there and on the disk: a temporary file beside
 * it, fsync, then a rename, or without `force` a link, which fails where the name has appeared meanwhile.
 *
 * @throws NectarError CLI_OUTPUT_EXISTS, CLI_OUTPUT_UNWRITABLE, NODE_DISK_FULL
 */
export async function writeOutputFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  force: boolean,
): Promise<number> {
  if (!force && existsSync(path)) throw new NectarError('CLI_OUTPUT_EXISTS', { path });
  const folder = dirname(resolve(path));
  await sweepStaged(folder);
  const temporary = stagedPath(folder);
  const handle = await writing(path, () => open(temporary, 'wx', 0o600));
  try {
    const bytes = await writeAll(path, handle, source);
    await writing(path, () => publish(temporary, resolve(path), force ? 'replace' : 'create'));
    return bytes;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeAll(path: string, handle: FileHandle, source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  const pieces = createPieceWriter((piece) => writing(path, () => handle.writeFile(piece)));
  try {
    for await (const chunk of source) {
      await pieces.add(chunk);
      bytes += chunk.length;
    }
    await pieces.end();
    await writing(path, () => handle.sync());
  } finally {
    await pieces.idle();
    await handle.close();
  }
  return bytes;
}

/**
 * Puts the small chunks of a download together, since each write is a turn through the thread pool, and fills one piece while the
 * one before is written.
 */
function createPieceWriter(write: (piece: Uint8Array) => Promise<void>) {
  const buffers = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)] as const;
  let [current, filled] = [0, 0];
  let writes: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await writes;
    writes = write(buffers[current === 0 ? 0 : 1].subarray(0, filled));
    writes.catch(() => undefined); // thrown to whoever waits for it
    [current, filled] = [1 - current, 0];
  }

  return {
    async add(chunk: Uint8Array): Promise<void> {
      for (let offset = 0; offset < chunk.length; ) {
        const take = Math.min(chunk.length - offset, PIECE_BYTES - filled);
        buffers[current === 0 ? 0 : 1].set(chunk.subarray(offset, offset + take), filled);
        filled += take;
        offset += take;
        if (filled === PIECE_BYTES) await flush();
      }
    },
    async end(): Promise<void> {
      await flush();
      await writes;
    },
    /** Waits for what is being written, however it goes. */
    idle: () => writes.catch(() => undefined),
  };
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (isDiskFull(error)) throw new NectarError('NODE_DISK_FULL', { path }, { cause: error });
    if (code === 'EEXIST') throw new NectarError('CLI_OUTPUT_EXISTS', { path }, { cause: error });
    throw new NectarError('CLI_OUTPUT_UNWRITABLE', { path, reason: code ?? message }, { cause: error });
  }
}
