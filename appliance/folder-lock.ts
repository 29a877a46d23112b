/**
 * The one lock between processes: an empty LevelDB, whose lock is the kernel's. It is free the moment its holder ends, however it
 * ends, and nobody can move it aside while the holder lives. Nothing is told from process ids: those of another container mean
 * nothing here, and after a crash somebody else may have them.
 *
 * A lock folder stays when the lock is released: a name that is removed and made again could be held twice. What is made under a name
 * that is never used again (a staging folder) may hold its own lock and be removed with it.
 */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { NectarError } from '../protocol/errors.ts';
import { diskError } from './durable-file.ts';

const UMASK = 0o077;
const POLL_MS = 100;
const MAX_NAME_CHARS = 200;

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * The locks of this process by device and inode, so that a renamed folder is known again. The kernel forgets a lock as soon as its
 * process closes any descriptor of the file (fcntl(2)), which opening a second LevelDB there does: it must not be tried.
 */
const held = new Set<string>();
let turn: Promise<unknown> = Promise.resolve();

/**
 * Takes the lock that lives in the folder `path`, which is made where it is missing; undefined while another process, or another
 * place of this one, holds it. `purpose` is for whoever meets it held.
 *
 * @throws NectarError NODE_DISK_FULL
 */
export function tryLock(path: string, purpose: string): Promise<FolderLock | undefined> {
  const result = turn.then(() => take(path, purpose));
  turn = result.catch(() => undefined);
  return result;
}

async function take(path: string, purpose: string): Promise<FolderLock | undefined> {
  const there = await findInode(path);
  if (there !== undefined && held.has(there)) return undefined;
  const level = new ClassicLevel(path);
  // LevelDB takes no modes: what a lock consists of is its owner's alone, like everything below a home.
  const umask = process.umask(UMASK);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await openWhole(level);
    await keepPrivate(path);
  } catch (error) {
    if (isLocked(error)) return undefined;
    await level.close().catch(() => undefined);
    throw diskError(error, path);
  } finally {
    process.umask(umask);
  }
  // For a person only: a lock without a name is a lock.
  await writeFile(holderPath(path), `${purpose}, process ${process.pid}\n`, { mode: 0o600 }).catch(() => undefined);
  const inode = (await findInode(path)) ?? '';
  held.add(inode);
  return {
    async release() {
      await level.close();
      held.delete(inode);
    },
  };
}

/** Nothing is kept in a lock: one whose files are damaged is made whole, under the kernel's lock, and without removing its LOCK. */
async function openWhole(level: ClassicLevel): Promise<void> {
  try {
    await level.open();
  } catch (error) {
    if (isLocked(error)) throw error;
    await ClassicLevel.repair(level.location);
    await level.open();
  }
}

/** Opening says it in the cause, repairing in the error itself. */
function isLocked(error: unknown): boolean {
  const codes = [error, (error as Error).cause].map((one) => (one as NodeJS.ErrnoException | undefined)?.code);
  return codes.includes('LEVEL_LOCKED');
}

/** LevelDB takes no modes for what it makes; a command line cannot set its process's umask as a node does. */
async function keepPrivate(path: string): Promise<void> {
  for (const name of await readdir(path)) await chmod(join(path, name), 0o600).catch(() => undefined);
}

async function findInode(path: string): Promise<string | undefined> {
  const found = await stat(join(path, 'LOCK'), { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** What the holder said of itself; the one before it for a moment after a change. */
export async function findHolder(path: string): Promise<string> {
  const text = await readFile(holderPath(path), 'utf8').catch(() => '');
  return text.trim().slice(0, MAX_NAME_CHARS) || 'another process';
}

export interface LockRequest {
  readonly path: string;
  /** What is done under the lock: others who wait are told. */
  readonly purpose: string;
  readonly signal: AbortSignal;
  /** How long to wait for another holder. */
  readonly timeoutMs: number;
  /** Told whom it waits for, when it has to: a wait is never silent. */
  readonly onWait: (holder: string) => void;
}

/**
 * Does `work` under the lock.
 *
 * @throws NectarError NODE_LOCK_HELD when the holder did not let go in time; what the work throws
 */
export async function withLock<T>(request: LockRequest, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(request);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function waitForLock({ path, purpose, signal, timeoutMs, onWait }: LockRequest): Promise<FolderLock> {
  let told = '';
  for (let waited = 0; ; waited += POLL_MS) {
    signal.throwIfAborted();
    const lock = await tryLock(path, purpose);
    if (lock !== undefined) return lock;
    const holder = await findHolder(path);
    if (waited >= timeoutMs) throw new NectarError('NODE_LOCK_HELD', { path, holder, seconds: timeoutMs / 1000 });
    if (holder !== told) onWait(holder);
    told = holder;
    await sleep(POLL_MS, undefined, { signal });
  }
}

function holderPath(path: string): string {
  return join(path, 'holder');
}
