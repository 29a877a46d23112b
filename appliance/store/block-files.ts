import { mkdir, open, opendir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cid } from '../../protocol/brand.ts';
import { SEGMENT_BYTES } from '../../protocol/envelope/format.ts';
import { diskError, publish, syncFolder, writeStaged } from '../durable-file.ts';
import { freeBytes } from '../stream-memory.ts';
import { createLeafFiles } from './leaf-file.ts';

/** Files being written and synced at a time per blob: fsyncs overlap, and memory stays at so many MiB. */
const WRITE_CONCURRENCY = 8;
const MODE = 0o600;
/** Sub-folders by the one but last character of the CID (the last one carries three bits only). */
const SHARDS = 'abcdefghijklmnopqrstuvwxyz234567';

/** A blob on its way: nothing of it is under its name in blocks/ until publish. */
export interface StagedBlob {
  /** Takes the block over: it is freed once it is on disk, or never will be. */
  add(cid: Cid, block: Uint8Array): Promise<void>;
  /** Waits until every added block is on disk, in staging. */
  settle(): Promise<void>;
  /** Moves the blocks to their names, durably. */
  publish(): Promise<void>;
  /** Removes what is still staged. Never throws: the next start collects what is left. */
  discard(): Promise<void>;
}

export interface BlockFiles {
  /** Makes the folders. */
  prepare(): Promise<void>;
  /** Removes what uploads that never ended left behind. */
  wipeStaging(): Promise<void>;
  /** Also looks among staged blocks: garbage may have been caught in mid-move. */
  readAnywhere(cid: Cid): Promise<Uint8Array | undefined>;
  stage(name: string): StagedBlob;
  /** undefined when there is none. */
  read(cid: Cid): Promise<Uint8Array | undefined>;
  /** The same, of a leaf that its reader frees on every way out (stream-memory.ts). */
  readLeaf(cid: Cid): Promise<Uint8Array | undefined>;
  has(cid: Cid): Promise<boolean>;
  /** Replaces a bad or missing block. */
  restore(cid: Cid, block: Uint8Array, name: string): Promise<void>;
  remove(cid: Cid): Promise<void>;
}

export function createBlockFiles(folders: { readonly blocks: string; readonly staging: string }): BlockFiles {
  const path = (cid: Cid): string => join(folders.blocks, cid.slice(-2, -1), cid);
  const leaves = createLeafFiles();

  return {
    async prepare() {
      await mkdir(folders.staging, { recursive: true, mode: 0o700 });
      for (const shard of SHARDS) await mkdir(join(folders.blocks, shard), { recursive: true, mode: 0o700 });
      await syncFolder(folders.blocks);
      await syncFolder(dirname(folders.blocks));
    },
    async wipeStaging() {
      for await (const { name } of await opendir(folders.staging)) {
        await rm(join(folders.staging, name), { recursive: true, force: true });
      }
    },
    async readAnywhere(cid) {
      const placed = await readIfThere(path(cid));
      if (placed !== undefined) return placed;
      for await (const { name } of await opendir(folders.staging)) {
        const staged = await readIfThere(join(folders.staging, name, cid));
        if (staged !== undefined) return staged;
      }
      return undefined;
    },
    stage: (name) => stageBlob(join(folders.staging, name), path),
    read: (cid) => readIfThere(path(cid)),
    readLeaf: async (cid) => (await leaves.read(path(cid))) ?? readIfThere(path(cid)),
    has: (cid) =>
      stat(path(cid)).then(
        () => true,
        () => false,
      ),
    restore: (cid, block, name) => placeFile(join(folders.staging, name), path(cid), block),
    async remove(cid) {
      await unlink(path(cid)).catch(ignoreMissing);
    },
  };
}

/** Writes a file durably under a staged name and moves it to its place. NODE_DISK_FULL leaves neither. */
export async function placeFile(staged: string, target: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeStaged(staged, bytes, MODE);
    await publish(staged, target);
  } catch (error) {
    await rm(staged, { force: true }).catch(() => undefined);
    throw diskError(error, dirname(target));
  }
}

/** A block file; of one that is larger than any block, only so much that it cannot pass for one. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const bytes = Buffer.allocUnsafeSlow(Math.min(size, SEGMENT_BYTES + 1));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytesRead === bytes.length ? bytes : bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function stageBlob(folder: string, target: (cid: Cid) => string): StagedBlob {
  const running = new Set<Promise<void>>();
  let made: Promise<unknown> | undefined;
  let failure: unknown;

  async function write(cid: Cid, block: Uint8Array): Promise<void> {
    made ??= mkdir(folder, { mode: 0o700 });
    await made;
    await writeStaged(join(folder, cid), block, MODE);
  }

  async function settle(): Promise<void> {
    await Promise.all(running);
    if (failure !== undefined) throw diskError(failure, folder);
  }

  return {
    async add(cid, block) {
      while (running.size >= WRITE_CONCURRENCY) await Promise.race(running);
      if (failure !== undefined) {
        freeBytes(block);
        throw diskError(failure, folder);
      }
      const job = write(cid, block)
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => {
          freeBytes(block);
          running.delete(job);
        });
      running.add(job);
    },
    settle,
    async publish() {
      await settle();
      const touched = new Set<string>();
      try {
        // A listing may miss names while others leave the folder: only an empty folder ends it.
        do {
          for await (const { name } of await opendir(folder)) {
            const path = target(name as Cid);
            await rename(join(folder, name), path);
            touched.add(dirname(path));
          }
        } while (!(await removeEmpty(folder)));
        for (const shard of touched) await syncFolder(shard);
      } catch (error) {
        throw diskError(error, folder);
      }
    },
    async discard() {
      await Promise.all(running);
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

async function removeEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY') return false;
    throw error;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
