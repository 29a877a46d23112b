import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place, PlaceEntry } from './place.ts';

export interface FolderPlaceOptions {
  readonly name: string;
  readonly folder: string;
  readonly owners: readonly number[];
}

/** A folder of this machine. Links are listed, never followed: what they lead to is not the node's. */
export function createFolderPlace({ name, folder, owners }: FolderPlaceOptions): Place {
  return {
    name,
    owners,
    async *entries(signal, path = '') {
      const seen = await lstatIfThere(join(folder, path));
      if (seen !== undefined) yield* walk({ folder, signal }, path, seen);
      else if (path === '') throw new Error(`there is no folder ${folder}`);
    },
  };
}

interface Walk {
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function* walk(at: Walk, path: string, seen: Stats): AsyncGenerator<PlaceEntry> {
  at.signal.throwIfAborted();
  yield entryOf(at, path, seen);
  if (!seen.isDirectory()) return;
  for (const name of await namesIn(join(at.folder, path))) {
    const below = path === '' ? name : `${path}/${name}`;
    const found = await lstatIfThere(join(at.folder, below));
    // A running node removes files while we look: what is gone is no part of it any more.
    if (found !== undefined) yield* walk(at, below, found);
  }
}

function entryOf({ folder, signal }: Walk, path: string, seen: Stats): PlaceEntry {
  return {
    path,
    type: seen.isFile() ? 'file' : seen.isDirectory() ? 'folder' : seen.isSymbolicLink() ? 'symlink' : 'other',
    mode: seen.mode & 0o7777,
    uid: seen.uid,
    bytes: seen.isFile() ? seen.size : 0,
    modifiedAt: Math.trunc(seen.mtimeMs),
    content: () => (seen.isFile() ? readIfThere(join(folder, path), signal) : noBytes()),
  };
}

async function* readIfThere(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { signal, highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
