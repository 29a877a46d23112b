import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { publish, replaceFile } from '../appliance/durable-file.ts';
import { tryLock } from '../appliance/folder-lock.ts';
import { makeFolders } from '../appliance/make-folders.ts';
import { givePieceBack, PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';
import type { KeptPart } from './partial-note.ts';
import { createPieceWriter } from './piece-writer.ts';
import type { VersionIdentity } from './resumable-get.ts';

/** Below this a download that is killed is begun anew. */
export const PARTIAL_BYTES = 64 * 1024 * 1024;
/** What a kill -9 costs at most: the note is written so often. */
const NOTE_EVERY_BYTES = 256 * 1024 * 1024;
const MAX_NOTE_BYTES = 4096;
/** Lock folders stay (folder-lock.ts): so many, however many files are fetched. */
const LOCKS = 16;
/** Neither a link nor a file of somebody else, in a folder that others can write to. */
const NO_LINK = constants.O_NOFOLLOW ?? 0;

/** How far a part goes. */
type Progress = Pick<KeptPart, 'done' | 'crc'>;

/**
 * The unfinished file of a download, beside its target: `FILE.nectar-part`, and a note of which version of which record it is. What the
 * note counts is durable, so the same command goes on there after a Ctrl-C, a crash or a loss of power.
 */
export interface PartialFile {
  readonly path: string;
  /** What an earlier run kept; undefined when there is nothing of use. */
  kept(): Promise<KeptPart | undefined>;
  /** Reads what was kept again: whether it is what was written. `onBytes` hears how much was read. */
  isWhole(kept: KeptPart, onBytes: (count: number) => void, signal: AbortSignal): Promise<boolean>;
  /** Writes a body behind what is kept. What arrived before a failure is kept too. */
  write(
    of: { recordId: string; identity: VersionIdentity },
    from: Progress,
    body: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** The part, from its beginning; a piece is good until the next one. */
  read(): AsyncIterable<Uint8Array>;
  /** Gives the finished part its name. */
  publish(how: 'replace' | 'create'): Promise<void>;
  /** Removes the part and its note. */
  discard(): Promise<void>;
  release(): Promise<void>;
}

/** Where the unfinished file of a target lies, and its note. */
export function partPaths(target: string): { readonly part: string; readonly note: string } {
  const file = resolve(target);
  return { part: `${file}.nectar-part`, note: `${file}.nectar-part.json` };
}

/** Undefined while another command fetches to the same file, or where this user can keep no lock: such a download is good for one run. */
export async function openPartial(home: string, target: string): Promise<PartialFile | undefined> {
  const file = resolve(target);
  const { part: path, note: notePath } = partPaths(target);
  const lock = await lockOf(home, file);
  if (lock === undefined) return undefined;

  async function discard(): Promise<void> {
    await rm(notePath, { force: true });
    await rm(path, { force: true });
  }

  return {
    path,
    discard,
    async kept() {
      const note = await readNote(notePath);
      if (note === undefined) return undefined;
      const size = await sizeOf(path);
      return size !== undefined && size >= note.done && note.done <= note.bytes ? note : undefined;
    },
    async isWhole({ done, crc }, onBytes, signal) {
      let found = 0;
      for await (const piece of readPieces(path, done)) {
        signal.throwIfAborted();
        found = crc32(piece, found);
        onBytes(piece.length);
      }
      return found === crc;
    },
    write: async ({ recordId, identity }, from, body) => {
      const note = (progress: Progress): Promise<void> =>
        replaceFile(notePath, JSON.stringify({ v: 1, recordId, ...identity, ...progress } satisfies KeptPart), 0o600);
      await writeOn({ path, from, note }, body);
    },
    read: () => readPieces(path, Number.POSITIVE_INFINITY),
    async publish(how) {
      await publish(path, file, how);
      await rm(notePath, { force: true });
    },
    release: () => lock.release(),
  };
}

async function lockOf(home: string, file: string) {
  const folder = join(home, 'client', 'downloads');
  try {
    await makeFolders(folder, 0o700);
    return await tryLock(join(folder, `lock-${crc32(file) % LOCKS}`), 'a get');
  } catch {
    // A home that this user may not write to, or a full disk: the download itself needs neither.
    return undefined;
  }
}

async function writeOn(
  { path, from, note }: { path: string; from: Progress; note: (progress: Progress) => Promise<void> },
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await openPart(path, from.done);
  const pieces = createPieceWriter(path, file, from.done);
  let [received, crc] = [from.done, from.crc];
  /** The last end of a whole piece: what is behind it may be in no file yet. */
  let even = from;
  let noted = from.done;
  const keep = async (progress: Progress): Promise<void> => {
    await pieces.settled();
    await file.datasync();
    await note(progress);
  };
  /** Beside the writing, which would stand still for it. */
  let keeping: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of body) {
      crc = crc32(chunk, crc);
      received += chunk.length;
      await pieces.add(chunk);
      if (received % PIECE_BYTES !== 0) continue;
      even = { done: received, crc };
      if (received - noted < NOTE_EVERY_BYTES) continue;
      await keeping;
      noted = received;
      keeping = keep(even);
      keeping.catch(() => undefined);
    }
    await keeping;
    await pieces.end();
    await file.sync();
    await note({ done: received, crc });
  } catch (error) {
    await keeping.catch(() => undefined);
    if (even.done > from.done) await keep(even).catch(() => undefined);
    throw error;
  } finally {
    await pieces.close();
    await file.close();
  }
}

/** Opens the part for writing behind `done`, where it is ours; a new one where there is nothing to keep. */
async function openPart(path: string, done: number): Promise<FileHandle> {
  if (done === 0) {
    await rm(path, { force: true });
    return open(path, 'wx', 0o600);
  }
  const file = await open(path, constants.O_RDWR | NO_LINK);
  try {
    await file.truncate(done);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await open(path, constants.O_RDONLY | NO_LINK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size, uid, nlink } = await file.stat();
    return uid === process.getuid?.() && nlink === 1 ? size : undefined;
  } finally {
    await file.close();
  }
}

/** A note that is damaged, or of somebody else, is none. */
async function readNote(path: string): Promise<KeptPart | undefined> {
  const size = await sizeOf(path);
  if (size === undefined || size > MAX_NOTE_BYTES) return undefined;
  const file = await open(path, constants.O_RDONLY | NO_LINK);
  // Few downloads find a note, and what checks it is most of what a command would load.
  const { parseNote } = await import('./partial-note.ts');
  try {
    return parseNote(await file.readFile('utf8'));
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

async function* readPieces(path: string, end: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | NO_LINK);
  const piece = takePiece();
  try {
    for (let at = 0; at < end; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, end - at), at);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    givePieceBack(piece);
    await file.close();
  }
}
