import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { givePieceBack, isWholePages, PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';

/** On their way to the disk at a time. */
const MAX_WRITES = 2;
/** Pieces of one write. The disk takes 4 MiB at a time half as fast again as 1 MiB. */
const MAX_PIECES_OF_WRITE = 4;
/** Pieces that wait for a write: more come in no faster than they go out. */
const MAX_WAITING = 4;

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
 * the thread pool. What comes while the disk is busy goes in one write. Pieces go to the disk without the kernel's copy where the file
 * system can do so: of a large file that copy, and the flush of it at the end, take longer than all the rest.
 *
 * @param file the same file, open for writing, for what is no whole piece and where there are no direct writes
 * @param start where the first byte goes: the end of a whole piece
 */
export function createPieceWriter(path: string, file: FileHandle, start = 0): PieceWriter {
  return new GatheringWriter(path, file, start);
}

class GatheringWriter implements PieceWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  /** Those under way, and where each begins. */
  readonly #writes = new Map<Promise<void>, number>();
  /** Whole pieces, to be written one behind the other. */
  readonly #waiting: Uint8Array[] = [];
  /** Of the first that waits, or of the next one. */
  #position: number;
  #piece = takePiece();
  #filled = 0;
  #failure: { readonly error: unknown } | undefined;
  #direct: Promise<FileHandle | undefined> | undefined;

  constructor(path: string, file: FileHandle, start: number) {
    [this.#path, this.#file, this.#position] = [path, file, start];
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.#filled === 0 && chunk.length === PIECE_BYTES && isWholePages(chunk)) return this.#flush(chunk);
    for (let offset = 0; offset < chunk.length; ) {
      const take = Math.min(chunk.length - offset, PIECE_BYTES - this.#filled);
      this.#piece.set(chunk.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled < PIECE_BYTES) continue;
      const full = this.#piece;
      [this.#piece, this.#filled] = [takePiece(), 0];
      await this.#flush(full);
    }
    givePieceBack(chunk);
  }

  async settled(): Promise<void> {
    // Not of what comes meanwhile: it may come without an end.
    const end = this.#position + this.#waiting.length * PIECE_BYTES;
    while (Math.min(this.#position, ...this.#writes.values()) < end) await Promise.race(this.#writes.keys());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async end(): Promise<void> {
    await this.settled();
    await writeAll(this.#file, [this.#piece.subarray(0, this.#filled)], this.#position);
  }

  async close(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes.keys());
    givePieceBack(this.#piece);
    await (await this.#direct)?.close();
  }

  async #flush(full: Uint8Array): Promise<void> {
    while (this.#waiting.length >= MAX_WAITING) await Promise.race(this.#writes.keys());
    this.#waiting.push(full);
    this.#begin();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Whatever waits is being written, or a write that goes on comes back here: nothing waits while no write is under way. */
  #begin(): void {
    while (this.#waiting.length > 0 && this.#writes.size < MAX_WRITES) {
      const pieces = this.#waiting.splice(0, MAX_PIECES_OF_WRITE);
      const at = this.#position;
      this.#position += pieces.length * PIECE_BYTES;
      const written = (this.#failure === undefined ? this.#write(pieces, at) : Promise.resolve())
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => {
          for (const piece of pieces) givePieceBack(piece);
          this.#writes.delete(written);
          this.#begin();
        });
      this.#writes.set(written, at);
    }
  }

  async #write(pieces: readonly Uint8Array[], at: number): Promise<void> {
    this.#direct ??= openDirect(this.#path);
    const straight = pieces.every(isWholePages) ? await this.#direct : undefined;
    if (straight === undefined) return writeAll(this.#file, pieces, at);
    try {
      await writeAll(straight, pieces, at);
    } catch (error) {
      // It could be opened so, and not be written to.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      await writeAll(this.#file, pieces, at);
    }
  }
}

/** A second way into the file; undefined where the platform or the file system has no direct writes. */
function openDirect(path: string): Promise<FileHandle | undefined> {
  if (constants.O_DIRECT === undefined) return Promise.resolve(undefined);
  return open(path, constants.O_WRONLY | constants.O_DIRECT).catch(() => undefined);
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], at: number): Promise<void> {
  let left = behind(pieces, 0);
  for (let place = at; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, place);
    place += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

/** What is left of them after so many bytes; nothing empty. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let passed = 0;
  for (const piece of pieces) {
    const skip = Math.min(piece.length, Math.max(0, bytes - passed));
    passed += piece.length;
    if (skip < piece.length) left.push(piece.subarray(skip));
  }
  return left;
}
