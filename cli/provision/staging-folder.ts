import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { publish, syncTree } from '../../appliance/durable-file.ts';
import { type FolderLock, tryLock } from '../../appliance/folder-lock.ts';
import { makeFolders } from '../../appliance/make-folders.ts';

/**
 * What is being made there: `partial`, a home; `staging`, the home of a node in containers, whose objects on the engine go with it;
 * `scratch`, nothing that stays.
 */
export type StagingKind = 'partial' | 'staging' | 'scratch';

const ATTEMPTS = 10;
const LOCK = join('run', 'lock-making');

/** Makes a home in a folder beside its place, and gives it the place, durably, when `build` is done; it leaves nothing otherwise. */
export function buildAside<T>(home: string, kind: StagingKind, build: (folder: string) => Promise<T>): Promise<T> {
  return inScratch(home, kind, async (folder) => {
    const built = await build(folder);
    await syncTree(folder);
    await publish(folder, home);
    // Nobody locks it there again.
    await rm(join(home, LOCK), { recursive: true, force: true });
    return built;
  });
}

/**
 * Does `work` in a new folder beside `home`, and removes the folder. Its lock lies in it: while its maker lives, nobody takes it for
 * abandoned.
 */
export async function inScratch<T>(home: string, kind: StagingKind, work: (folder: string) => Promise<T>): Promise<T> {
  const { path, lock } = await openStaging(home, kind);
  try {
    return await work(path);
  } finally {
    await rm(path, { recursive: true, force: true });
    await lock.release();
  }
}

/**
 * A folder for as long as `work` takes, named after `base`. Those of commands that were killed go first: a lock of the kernel tells,
 * since a process id is no proof of life. The lock lies beside the folder that `work` gets, so that `work` may empty it.
 */
export async function withScratch<T>(base: string, work: (folder: string) => Promise<T>): Promise<T> {
  await sweepAbandoned(base, 'scratch');
  return inScratch(base, 'scratch', async (path) => {
    const folder = join(path, 'files');
    await mkdir(folder, { mode: 0o700 });
    return work(folder);
  });
}

interface Staging {
  readonly path: string;
  readonly lock: FolderLock;
}

async function openStaging(home: string, kind: StagingKind): Promise<Staging> {
  await makeFolders(dirname(home));
  for (let attempt = 1; ; attempt += 1) {
    const path = `${home}.${kind}-${randomBytes(8).toString('hex')}`;
    const lock = await make(path);
    if (lock !== undefined) return { path, lock };
    if (attempt === ATTEMPTS) throw new Error(`${path} is taken away while it is made`);
  }
}

/** undefined when a sweep took it for abandoned between the two steps: the folder that is locked must be the one that was made. */
async function make(path: string): Promise<FolderLock | undefined> {
  await mkdir(path, { mode: 0o700 });
  const made = await stat(path, { bigint: true });
  const lock = await tryLock(join(path, LOCK), 'making a home');
  if (lock === undefined) return undefined;
  const now = await stat(path, { bigint: true });
  if (now.ino === made.ino && now.birthtimeNs === made.birthtimeNs) return lock;
  await rm(path, { recursive: true, force: true });
  await lock.release();
  return undefined;
}

/** Does `undo` with each folder of this kind that a killed process left beside `home`, then removes it. */
export async function sweepAbandoned(
  home: string,
  kind: StagingKind,
  undo: (path: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const folder = dirname(home);
  const prefix = `${basename(home)}.${kind}-`;
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]+$/.test(name.slice(prefix.length))) continue;
    const path = join(folder, name);
    const lock = await tryLock(join(path, LOCK), 'clearing away what an ended command left');
    if (lock === undefined) continue;
    try {
      await undo(path);
      await rm(path, { recursive: true, force: true });
    } finally {
      await lock.release();
    }
  }
}
