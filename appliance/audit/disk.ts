import { constants } from 'node:fs';
import { open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { isDiskFull, isStaged, makeFolder, replaceFiles, syncFolder } from '../durable-file.ts';

/** No file of the log is larger: a bundle of 256 bodies of the largest size that can be configured. */
const MAX_FILE_BYTES = 300 * 1024 * 1024;
const MODE = 0o600;
/** Each write is durable when it returns, as with fdatasync behind it, in one step instead of two. */
const DURABLE_WRITES = constants.O_RDWR | constants.O_DSYNC;

/** A file that grows at its end. */
export interface AppendFile {
  /** Writes the bytes at a place and makes them durable. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  close(): Promise<void>;
}

/** A file to put in place, by its path below the log. */
export interface WholeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What the log asks of the disk, in paths below its own folder. Its own interface, so that a test can fill the disk. */
export interface Disk {
  /** Reads a file; undefined when it is absent. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Opens a file for appending at `length`, cutting off whatever is behind it; creates it when `length` is 0. */
  openAppend(path: string, length: number): Promise<AppendFile>;
  /** Puts whole files in place, each atomically, all of them durably. */
  replace(files: readonly WholeFile[]): Promise<void>;
  /** Names in a folder, with a slash after those of folders; empty when it is absent. What a crash left staged is not among them. */
  list(path: string): Promise<string[]>;
  /** Removes a file or a folder; silent when it is absent. */
  remove(path: string): Promise<void>;
}

/** The real disk below `folder`. Files are 0600, folders 0700: the log of a clinic is nobody else's to read. */
export function createDisk(folder: string): Disk {
  const at = (path: string): string => join(folder, path);
  return {
    read: (path) => readWhole(at(path), path),
    list: (path) => listFolder(at(path), path),
    remove: (path) => rm(at(path), { recursive: true, force: true }),
    async replace(files) {
      for (const path of new Set(files.map((file) => dirname(at(file.path))))) await makeFolder(path);
      await replaceFiles(files.map(({ path, bytes }) => ({ path: at(path), content: bytes, mode: MODE })));
    },
    openAppend: (path, length) => openAppend(at(path), length),
  };
}

/** The error to raise for a write that the disk refused. */
export function writeError(error: unknown, path: string): NectarError {
  if (error instanceof NectarError) return error;
  if (isDiskFull(error)) return new NectarError('NODE_DISK_FULL', { path }, { cause: error });
  const code = (error as { code?: string } | null)?.code ?? 'unknown';
  return new NectarError('AUDIT_NOT_WRITABLE', { reason: `${path}: ${code}` }, { cause: error });
}

/** Reads a file, after its size: whoever can write to the folder must not be able to fill the memory. */
async function readWhole(file: string, path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_FILE_BYTES) return await readFile(file);
  } catch (error) {
    const { code = 'unknown' } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: `it cannot be read: ${code}` }, { cause: error });
  }
  throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: 'it is larger than any file of the log' });
}

async function openAppend(path: string, length: number): Promise<AppendFile> {
  if (length === 0) {
    await makeFolder(dirname(path));
    const created = await open(path, 'a', MODE);
    await created.close();
    await syncFolder(dirname(path));
  }
  // A write that failed or tore may have left bytes behind the durable end; they must be gone before anything follows.
  await truncate(path, length);
  const file = await open(path, DURABLE_WRITES);
  return {
    async write(bytes, place) {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, place + done);
        done += bytesWritten;
      }
    },
    close: () => file.close(),
  };
}

async function listFolder(folder: string, path: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !isStaged(name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  } catch (error) {
    const { code = 'unknown' } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: `it cannot be read: ${code}` }, { cause: error });
  }
}
