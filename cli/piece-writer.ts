import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { givePieceBack, isWholePages, PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';

/** On their way to the disk at a time, while the next one is filled. */
const MAX_WRITES = 4;

export interface PieceWriter {
  /** Takes a piece of page-memory.ts over; copies anything else, which stays the caller's. */
  add(chunk: Uint8Array): Promise<void>;
  /** Waits until every whole piece so far is in the file, and durable after a sync of its handle. */
  settled(): Promise<void>;
  /** Writes what is left; everything is in the file then, and durable after a sync of its handle. */
  end(): Promise<void>;
  /** Waits for what is being written, however it goes, and frees the memory. */
  close(): Promise<void>;
}

/**
 * Writes a new file in whole pieces, several at a time, since the chunks of a download are small and each write is a turn through
 * the thread pool. Pieces go to the disk without the kernel's copy where the file system can do so: of a large file that copy,
 * and the flush of it at the end, take longer than all the rest.
 *
 * @param file the same file, open for writing, for what is no whole piece and where there are no direct writes
 * @param start where the first byte goes: the end of a whole piece
 */
export function createPieceWriter(path: string, file: FileHandle, start = 0): PieceWriter {
  const writes = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let [piece, filled, position] = [takePiece(), 0, start];
  let direct: Promise<FileHandle | undefined> | undefined;

  async function write(full: Uint8Array, at: number): Promise<void> {
    direct ??= openDirect(path);
    const straight = isWholePages(full) ? await direct : undefined;
    if (straight === undefined) return writeAll(file, full, at);
    try {
      await writeAll(straight, full, at);
    } catch (error) {
      // It could be opened so, and not be written to.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      await writeAll(file, full, at);
    }
  }

  async function flush(full: Uint8Array): Promise<void> {
    while (writes.size >= MAX_WRITES) await Promise.race(writes);
    const at = position;
    position += PIECE_BYTES;
    const written = (failure === undefined ? write(full, at) : Promise.reject(failure.error))
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        givePieceBack(full);
        writes.delete(written);
      });
    writes.add(written);
    if (failure !== undefined) throw failure.error;
  }

  async function settled(): Promise<void> {
    await Promise.all(writes);
    if (failure !== undefined) throw failure.error;
  }

  return {
    settled,
    async add(chunk) {
      if (filled === 0 && chunk.length === PIECE_BYTES && isWholePages(chunk)) return flush(chunk);
      for (let offset = 0; offset < chunk.length; ) {
        const take = Math.min(chunk.length - offset, PIECE_BYTES - filled);
        piece.set(chunk.subarray(offset, offset + take), filled);
        filled += take;
        offset += take;
        if (filled < PIECE_BYTES) continue;
        const full = piece;
        [piece, filled] = [takePiece(), 0];
        await flush(full);
      }
      givePieceBack(chunk);
    },
    async end() {
      await settled();
      await writeAll(file, piece.subarray(0, filled), position);
    },
    async close() {
      await Promise.all(writes);
      givePieceBack(piece);
      await (await direct)?.close();
    },
  };
}

/** A second way into the file; undefined where the platform or the file system has no direct writes. */
function openDirect(path: string): Promise<FileHandle | undefined> {
  if (constants.O_DIRECT === undefined) return Promise.resolve(undefined);
  return open(path, constants.O_WRONLY | constants.O_DIRECT).catch(() => undefined);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}
