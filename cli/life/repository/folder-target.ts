import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFile, diskError, isStaged, syncFolder } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { SNAPSHOTS } from '../../../protocol/backup/repository.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { ObjectContent, Target } from './target.ts';

const FILE_MODE = 0o600;
const CHUNK_BYTES = 1024 * 1024;

/** A repository in a folder: of this machine, a disk that is plugged in, a network share. It needs no hard links. */
export function createFolderTarget(folder: string): Target {
  /** Folders whose names are not durable yet. */
  const touched = new Set<string>();
  const place = (name: string): string => join(folder, name);
  const refuse = (error: unknown): never => {
    const known = diskError(error, folder);
    if (known instanceof NectarError) throw known;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('BACKUP_TARGET_REFUSED', { target: folder, reason: code ?? message }, { cause: error });
  };

  async function write(path: string, content: ObjectContent): Promise<void> {
    const staged = join(dirname(path), `.nectar-${randomBytes(8).toString('hex')}.new`);
    try {
      const first = await makeFolders(dirname(path), 0o700);
      if (first !== undefined) touched.add(dirname(first));
      const file = await open(staged, 'wx', FILE_MODE);
      try {
        for await (const chunk of content.read()) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(staged, path);
      touched.add(dirname(path));
    } catch (error) {
      await rm(staged, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  return {
    url: folder,
    async *list(prefix) {
      yield* filesBelow(folder, prefix.replace(/\/$/, ''));
    },
    async *read(name) {
      try {
        yield* createReadStream(place(name), { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') refuse(error);
        throw new NectarError('BACKUP_OBJECT_MISSING', { object: name }, { cause: error });
      }
    },
    async create(name, content) {
      const path = place(name);
      if (await isFile(path)) return false;
      try {
        if (name.startsWith(SNAPSHOTS)) return await createOnce(path, content);
        await write(path, content);
        return true;
      } catch (error) {
        return refuse(error);
      }
    },
    async remove(name) {
      await rm(place(name), { force: true }).catch(refuse);
      touched.add(dirname(place(name)));
    },
    async settle() {
      for (const path of touched) {
        await syncFolder(path).catch((error: NodeJS.ErrnoException) => {
          // Some shares cannot sync a folder, and one that was emptied may be gone.
          if (!['ENOENT', 'EINVAL', 'ENOTSUP', 'EISDIR'].includes(error.code ?? '')) refuse(error);
        });
      }
      touched.clear();
    },
    warnings: async () => [],
    close: async () => undefined,
  };
}

/** Two runs race for the name of a snapshot: one wins. */
async function createOnce(path: string, content: ObjectContent): Promise<boolean> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read()) chunks.push(chunk);
  await makeFolders(dirname(path), 0o700);
  try {
    await createFile(path, Buffer.concat(chunks), FILE_MODE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function* filesBelow(folder: string, path: string): AsyncGenerator<{ name: string; bytes: number }> {
  const listing = await opendir(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new NectarError('BACKUP_TARGET_REFUSED', { target: folder, reason: error.code ?? error.message });
  });
  if (listing === undefined) return;
  for await (const entry of listing) {
    const name = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(folder, name);
    else if (entry.isFile() && !isStaged(name)) yield { name, bytes: (await stat(join(folder, name))).size };
  }
}
