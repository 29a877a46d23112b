import { createReadStream, createWriteStream } from 'node:fs';
import { opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { BackupEntry } from './entry.ts';
import { pinFile, releasing } from './pinned-file.ts';

/** The names of all blocks at one moment, on disk: a store of a TiB has a million of them. */
export interface BlockList {
  readonly count: number;
  entries(): AsyncGenerator<BackupEntry>;
  remove(): Promise<void>;
}

/**
 * Lists the block files below HOME/store right after the index was pinned. A block is written before the index knows it and never
 * changes, so whatever the pinned index names is on the list, unless its record has been destroyed since; what is put later is not.
 */
export async function listBlocks(store: string, spool: string): Promise<BlockList> {
  let count = 0;
  async function* names(): AsyncGenerator<string> {
    for (const kind of ['blocks', 'held']) {
      for await (const folder of await openFolder(join(store, kind))) {
        if (!folder.isDirectory()) continue;
        for await (const file of await openFolder(join(store, kind, folder.name))) {
          if (!file.isFile() || file.name.startsWith('.')) continue;
          count += 1;
          yield `${kind}/${folder.name}/${file.name}\n`;
        }
      }
    }
  }
  await pipeline(names(), createWriteStream(spool, { mode: 0o600, flags: 'wx' }));
  return {
    count,
    async *entries() {
      const input = createReadStream(spool, 'utf8');
      try {
        for await (const path of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
          // Gone meanwhile: its record was destroyed, or it never became one.
          const file = await pinFile(join(store, path), `store/${path}`);
          if (file !== undefined) yield* releasing([file]);
        }
      } finally {
        input.destroy();
      }
    },
    remove: () => rm(spool, { force: true }),
  };
}

async function openFolder(path: string): Promise<AsyncIterable<import('node:fs').Dirent>> {
  try {
    return await opendir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyFolder();
    throw error;
  }
}

async function* emptyFolder(): AsyncGenerator<never> {}
