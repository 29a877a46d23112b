/**
 * How a file gets its name so that a crash at any moment leaves the old content or the new one, and what a full disk looks like.
 * The only place that does either, for every service and for the command line.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import { makeFolders } from './make-folders.ts';
import { isWholePages } from './page-memory.ts';

/** A file to put in place. */
export interface DurableFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Permissions of the new file; those of an old one are not taken over. */
  readonly mode: number;
}

/** What is asked of the file system: its own interface, so that a test can watch the order, and fill the disk at any step. */
export const nodeFiles = { open, rename, link, lstat, rm, mkdir, readdir };
export type FileSystem = typeof nodeFiles;

const STAGED = /(^|\/)\.nectar-[0-9a-f]{16}\.new$/;
/** What earlier versions staged the log's files as. */
const STAGED_BEFORE = /\.tmp$/;
/** A staged file that old belongs to no write that is still under way. */
const ABANDONED_MS = 3_600_000;
/** LevelDB's: empty, and closing any descriptor of it would give up a lock that this process holds on it (fcntl(2)). */
const LOCK_FILE = 'LOCK';
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT']);
/** Exclusive: follows no link that lies in the way, and no two writers share a file. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** 0 where the platform has no such thing. */
const O_DIRECT = constants.O_DIRECT ?? 0;
/** What a file system that has no direct writes answers, to open(2) or to write(2). */
const NOT_DIRECT = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);
/** What link(2) answers where the file system has no hard links (FAT, exFAT, some network shares). */
const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

export interface DurableFiles {
  /**
   * Puts a whole file in place of whatever has its name, a symbolic link included: staged beside it, fsync, rename, fsync of the folder.
   *
   * @throws NectarError NODE_DISK_FULL, with the old file in place
   */
  replaceFile(path: string, content: Uint8Array | string, mode: number): Promise<void>;
  /** The same for many, each by itself: their flushes overlap, and a folder is synced once. */
  replaceFiles(files: readonly DurableFile[]): Promise<void>;
  /** Puts a whole file where there must be none. Throws EEXIST, and leaves what has the name, even where it came meanwhile. */
  createFile(path: string, content: Uint8Array | string, mode: number): Promise<void>;
  /**
   * Writes a new file (EEXIST otherwise) and syncs it, not its name. For a name that counts only after a rename. Whole pages
   * (page-memory.ts) go to the disk without the kernel's copy, which takes most of the time of a large write.
   */
  writeStaged(path: string, content: Uint8Array | string, mode: number): Promise<void>;
  /** Gives a staged, synced file or folder its name, durably. With `create` a file that has the name stays: EEXIST. */
  publish(staged: string, target: string, how?: 'replace' | 'create'): Promise<void>;
  /** Creates a folder (0700) and makes its entry durable, up to the first that was there. */
  makeFolder(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Removes what killed writes left staged in a folder; once by each process. For whoever stages a file there by itself. */
  sweepStaged(folder: string): Promise<void>;
  /** Makes every file and folder below durable, so that a rename afterwards never shows a folder of empty files. */
  syncTree(path: string): Promise<void>;
}

export function createDurableFiles(files: FileSystem, now: () => number = Date.now): DurableFiles {
  /** Folders that were looked through for what a crash left: once by each process. */
  const swept = new Set<string>();
  /** Until a file system says that it cannot. */
  let direct = O_DIRECT !== 0;

  async function sync(path: string): Promise<void> {
    const handle = await files.open(path, 'r');
    await handle.sync().finally(() => handle.close());
  }

  async function write(path: string, content: Uint8Array | string, mode: number, flags: number): Promise<void> {
    const file = await files.open(path, NEW_FILE | flags, mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async function writeStaged(path: string, content: Uint8Array | string, mode: number): Promise<void> {
    if (!direct || !isWholePages(content)) return write(path, content, mode, 0);
    try {
      await write(path, content, mode, O_DIRECT);
    } catch (error) {
      if (!NOT_DIRECT.has(codeOf(error))) throw error;
      direct = false;
      // open(2) has made the file before it sees that the file system cannot.
      await files.rm(path, { force: true });
      await write(path, content, mode, 0);
    }
  }

  async function publish(staged: string, target: string, how: 'replace' | 'create' = 'replace'): Promise<void> {
    if (how === 'replace') await files.rename(staged, target);
    else await linkOrClaim(staged, target);
    await sync(dirname(target));
  }

  async function linkOrClaim(staged: string, target: string): Promise<void> {
    try {
      await files.link(staged, target);
    } catch (error) {
      if (!NO_LINKS.has(codeOf(error))) throw error;
      const claim = await files.open(target, 'wx');
      await claim.close();
      await files.rename(staged, target);
      return;
    }
    await files.rm(staged);
  }

  async function sweep(folder: string): Promise<void> {
    if (swept.has(folder)) return;
    swept.add(folder);
    // A folder that cannot be listed may still be written to.
    for (const name of await files.readdir(folder).catch(() => [])) {
      if (!STAGED.test(name)) continue;
      const path = join(folder, name);
      const left = await files.lstat(path).catch(() => undefined);
      if (left !== undefined && now() - left.mtimeMs > ABANDONED_MS) await files.rm(path, { force: true });
    }
  }

  async function put(file: DurableFile, how: 'replace' | 'create'): Promise<void> {
    const folder = dirname(file.path);
    const staged = stagedPath(folder);
    try {
      await sweep(folder);
      await writeStaged(staged, file.content, file.mode);
      await publish(staged, file.path, how);
    } catch (error) {
      await files.rm(staged, { force: true }).catch(() => undefined);
      throw diskError(error, file.path);
    }
  }

  async function replaceFiles(many: readonly DurableFile[]): Promise<void> {
    const staged = many.map((file) => ({ ...file, staged: stagedPath(dirname(file.path)) }));
    const folders = [...new Set(many.map(({ path }) => dirname(path)))];
    try {
      for (const folder of folders) await sweep(folder);
      await settleAll(staged.map((file) => writeStaged(file.staged, file.content, file.mode)));
      for (const file of staged) await files.rename(file.staged, file.path);
      await settleAll(folders.map(sync));
    } catch (error) {
      for (const file of staged) await files.rm(file.staged, { force: true }).catch(() => undefined);
      throw diskError(error, folders[0] ?? '');
    }
  }

  async function makeFolder(path: string): Promise<void> {
    try {
      const first = await makeFolders(path, 0o700, { mkdir: files.mkdir, stat });
      if (first === undefined) return;
      // Absolute: the parent of a relative name is '.' in the end, which is its own parent.
      const top = resolve(first);
      for (let folder = resolve(path); folder.length >= top.length; folder = dirname(folder))
        await sync(dirname(folder));
    } catch (error) {
      throw diskError(error, path);
    }
  }

  async function syncTree(folder: string): Promise<void> {
    for (const entry of await files.readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await syncTree(path);
      else if (entry.isFile() && entry.name !== LOCK_FILE) await sync(path);
    }
    await sync(folder);
  }

  return {
    replaceFile: (path, content, mode) => put({ path, content, mode }, 'replace'),
    createFile: (path, content, mode) => put({ path, content, mode }, 'create'),
    replaceFiles,
    writeStaged,
    publish,
    makeFolder,
    sweepStaged: sweep,
    syncFolder: sync,
    syncTree,
  };
}

export const {
  replaceFile,
  replaceFiles,
  createFile,
  writeStaged,
  publish,
  makeFolder,
  sweepStaged,
  syncFolder,
  syncTree,
} = createDurableFiles(nodeFiles);

/** A name to stage a file under. Of its own length, so that a file whose name is as long as names may be can be written too. */
export function stagedPath(folder: string): string {
  return join(folder, `.nectar-${randomBytes(8).toString('hex')}.new`);
}

/** True for the path of a file that a write has not put in place: no copy and no check of a folder takes it for content. */
export function isStaged(path: string): boolean {
  return STAGED.test(path) || STAGED_BEFORE.test(path);
}

/** Waits for all before it throws the first failure: no write goes on behind a caller that has given up. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Whether the disk, or the user's share of it, is full. File calls have codes; LevelDB hands the C library's text through. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (FULL_CODES.has(codeOf(cause)) || saysDiskFull(cause.message)) return true;
  }
  return false;
}

/** Whether a text that another program wrote says so. */
export function saysDiskFull(text: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(text);
}

/** The error to throw for one that a write met: NODE_DISK_FULL for a full disk, else the error itself. */
export function diskError(error: unknown, path: string): unknown {
  if (error instanceof NectarError || !isDiskFull(error)) return error;
  return new NectarError('NODE_DISK_FULL', { path }, { cause: error });
}

/** Bytes that find room wherever a process can still say why it ends. */
const ROOM_BYTES = 64 * 1024;

/** Whether a folder's volume takes nothing any more: asked where another process could not say so, having had no room for it. */
export async function hasNoRoom(folder: string): Promise<boolean> {
  const path = stagedPath(folder);
  try {
    await writeStaged(path, Buffer.alloc(ROOM_BYTES), 0o600);
    return false;
  } catch (error) {
    return isDiskFull(error);
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** How long the free space of a volume is taken to be what it was: thousands of small writes a second ask for it. */
const FREE_KNOWN_MS = 50;
const knownFree = new Map<string, { readonly at: number; readonly bytes: Promise<number> }>();

/** Throws NODE_DISK_FULL when the volume has fewer free bytes (for this user) than asked for. */
export async function requireFree(path: string, bytes: number): Promise<void> {
  if ((await freeBytesOf(path)) < bytes) throw new NectarError('NODE_DISK_FULL', { path });
}

function freeBytesOf(path: string): Promise<number> {
  const known = knownFree.get(path);
  if (known !== undefined && performance.now() - known.at < FREE_KNOWN_MS) return known.bytes;
  const measured = statfs(path).then(({ bavail, bsize }) => bavail * bsize);
  knownFree.set(path, { at: performance.now(), bytes: measured });
  measured.catch(() => knownFree.delete(path));
  return measured;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? '';
}
