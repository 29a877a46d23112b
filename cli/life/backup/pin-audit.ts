import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isStaged } from '../../../appliance/durable-file.ts';
import { type BackupEntry, bytesEntry } from './entry.ts';
import { pinFile, releasing } from './pinned-file.ts';
import { readSmallFile } from './small-files.ts';

/** The log at one moment: its checkpoint, and how far its last bundle had been written. */
export interface PinnedAudit {
  entries(): AsyncGenerator<BackupEntry>;
}

interface Listed {
  readonly path: string;
  readonly limit: number;
}

/**
 * Pins the audit log of a running node. It only grows: the checkpoint is read first, so that whatever it vouches for is in the
 * bundles and tiles that are listed after it; of the bundle that is being written, only the bytes that were there count (a torn
 * last group is what a crash leaves, and is cut off at the next start). Full bundles and tiles do not change any more, but
 * for retention, which replaces a bundle whole.
 */
export async function pinAudit(folder: string): Promise<PinnedAudit> {
  const checkpoint = await readSmallFile(join(folder, 'checkpoint'));
  const bundles = await listFiles(join(folder, 'bodies'), 'bodies');
  const last = bundles.at(-1);
  const size = last === undefined ? 0 : (await stat(join(folder, last))).size;
  const listed: Listed[] = [
    ...bundles.map((path) => ({ path, limit: path === last ? size : Number.POSITIVE_INFINITY })),
    ...(await listFiles(join(folder, 'tile'), 'tile')).map((path) => ({ path, limit: Number.POSITIVE_INFINITY })),
  ];
  return {
    async *entries() {
      if (checkpoint !== undefined) yield bytesEntry('audit/checkpoint', checkpoint);
      for (const { path, limit } of listed) {
        // A partial tile goes when its full one has come.
        const file = await pinFile(join(folder, path), `audit/${path}`, limit);
        if (file !== undefined) yield* releasing([file]);
      }
    },
  };
}

/** Paths below, sorted; bundles and tiles are numbered so that this is their order. Temporary files are not the log's. */
async function listFiles(folder: string, prefix: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isFile() && !isStaged(entry.name))
    .map((entry) => `${prefix}${entry.parentPath.slice(folder.length)}/${entry.name}`.replaceAll('\\', '/'))
    .sort();
}
