import { closeSync, constants, fstatSync, open as openCallback, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { givePieceBack, isWholePages, PIECE_BYTES, takePiece } from '../page-memory.ts';

const open = promisify(openCallback);
const readInto = promisify(readCallback);

/** Of so many blocks it is remembered that they were read: 16 GiB of them. */
const MAX_REMEMBERED = 16 * 1024;

export interface LeafFiles {
  /** The file in memory that the caller frees; undefined when it is not to be read so: it is short, absent, or asked for again. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/**
 * Reads full blocks past the kernel's memory of files: most large records are read once, and keeping what will not be asked for
 * again costs more than the reading. A block that is asked for again goes the ordinary way, and is kept from then on.
 */
export function createLeafFiles(): LeafFiles {
  const read = new Set<string>();
  let possible = constants.O_DIRECT !== undefined;

  function isAskedAgain(path: string): boolean {
    if (read.has(path)) return true;
    const [oldest] = read;
    if (read.size >= MAX_REMEMBERED && oldest !== undefined) read.delete(oldest);
    read.add(path);
    return false;
  }

  return {
    async read(path) {
      if (!possible || isAskedAgain(path)) return undefined;
      // What goes wrong here goes wrong in the ordinary way too, and is named there.
      const file = await open(path, constants.O_RDONLY | constants.O_DIRECT).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EINVAL') possible = false;
      });
      if (file === undefined) return undefined;
      try {
        return await readPiece(file);
      } finally {
        closeSync(file);
      }
    },
  };
}

/** Size and close ask no disk of an open file: here they cost less than their way through the thread pool, for each MiB. */
async function readPiece(file: number): Promise<Uint8Array | undefined> {
  if (fstatSync(file).size !== PIECE_BYTES) return undefined;
  const piece = takePiece();
  const { bytesRead } = isWholePages(piece)
    ? await readInto(file, piece, 0, PIECE_BYTES, 0).catch(() => ({ bytesRead: 0 }))
    : { bytesRead: 0 };
  if (bytesRead === PIECE_BYTES) return piece;
  givePieceBack(piece);
  return undefined;
}
