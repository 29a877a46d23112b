import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';

/** No file of the log is larger: a bundle of 256 bodies of the largest size that can be configured. */
const MAX_FILE_BYTES = 300 * 1024 * 1024;

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
  /** Names in a folder, with a slash after those of folders; empty when it is absent. */
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
    replace: (files) => replaceFiles(files.map(({ path, bytes }) => ({ path: at(path), bytes }))),
    openAppend: (path, length) => openAppend(at(path), length),
  };
}

/** The error to raise for a write that the disk refused. */
export function writeError(error: unknown, path: string): NectarError {
  if (error instanceof NectarError) return error;
  const code = (error as { code?: string } | null)?.code ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') return new NectarError('NODE_DISK_FULL', { path }, { cause: error });
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
    const created = await open(path, 'a', 0o600);
    await created.close();
    await syncFolder(dirname(path));
  }
  // A write that failed or tore may have left bytes behind the durable end; they must be gone before anything follows.
  await truncate(path, length);
  const file = await open(path, 'r+');
  return {
    async write(bytes, place) {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, place + done);
        done += bytesWritten;
      }
      await file.datasync();
    },
    close: () => file.close(),
  };
}

/** Together, so that the files share the flushes of the file system's journal, and each folder is synced once. */
async function replaceFiles(files: readonly WholeFile[]): Promise<void> {
  const folders = [...new Set(files.map(({ path }) => dirname(path)))];
  for (const folder of folders) await makeFolder(folder);
  await settleAll(files.map(({ path, bytes }) => writeWhole(`${path}.tmp`, bytes)));
  for (const { path } of files) await rename(`${path}.tmp`, path);
  await settleAll(folders.map(syncFolder));
}

/** Waits for all before it throws the first failure: no write goes on behind a caller that has given up. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Creates a folder and makes its own entry durable, up to the first one that was there. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function listFolder(folder: string, path: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  } catch (error) {
    const { code = 'unknown' } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: `it cannot be read: ${code}` }, { cause: error });
  }
}
