import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, opendir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OBJECTS, parseRepositoryName, SNAPSHOTS, TABLES } from '../../protocol/backup/repository.ts';
import { NectarError } from '../../protocol/errors.ts';
import { diskError, makeFolder, publish, stagedPath, sweepStaged, syncFolder } from '../durable-file.ts';
import type { CustodyPart, KeptObject, OpenedObject } from './interfaces.ts';

const MODE = 0o600;
const CHUNK_BYTES = 1024 * 1024;

/** The files of one repository: names that are well-formed, content that is what its name says. */
export interface RepositoryFolder {
  /** undefined when it is not there. */
  readSmall(name: string): Promise<Buffer | undefined>;
  /** @throws NectarError CUSTODY_OBJECT_ABSENT */
  open(name: string): Promise<OpenedObject>;
  has(name: string): boolean;
  list(part: CustodyPart): AsyncGenerator<KeptObject, void, void>;
  /** `sha256`: what the content has to be. Durable when it resolves. @throws NectarError CUSTODY_OBJECT_PRESENT, _CONTENT_REFUSED */
  create(name: string, content: AsyncIterable<Uint8Array>, sha256: string | undefined): Promise<KeptObject>;
  /** Bytes that it had; 0 when there was none. */
  remove(name: string): Promise<number>;
  /** Makes removals durable. */
  settle(): Promise<void>;
}

export function createRepositoryFolder(folder: string): RepositoryFolder {
  const touched = new Set<string>();
  const place = (name: string): string => join(folder, name);

  async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
    const hash = createHash('sha256');
    let bytes = 0;
    const file = await open(path, 'wx', MODE);
    try {
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.length;
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { bytes, sha256: hash.digest('hex') };
  }

  return {
    readSmall: (name) =>
      readFile(place(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    async open(name) {
      const bytes = await sizeOf(place(name));
      if (bytes === undefined) throw new NectarError('CUSTODY_OBJECT_ABSENT', { object: name });
      const stream = createReadStream(place(name), { highWaterMark: CHUNK_BYTES });
      return { bytes, body: stream as AsyncIterable<Uint8Array> };
    },
    has: (name) => existsSync(place(name)),
    list: (part) => listBelow(folder, part),
    async create(name, content, sha256) {
      const path = place(name);
      if (existsSync(path)) throw new NectarError('CUSTODY_OBJECT_PRESENT', { object: name });
      await makeFolder(dirname(path));
      await sweepStaged(folder);
      const staged = stagedPath(folder);
      try {
        const written = await write(staged, content);
        if (sha256 !== undefined && written.sha256 !== sha256)
          throw new NectarError('CUSTODY_CONTENT_REFUSED', { object: name, problem: 'its digest is another' });
        await publish(staged, path, 'create');
        return { name, bytes: written.bytes };
      } catch (error) {
        await rm(staged, { force: true }).catch(() => undefined);
        if ((error as NodeJS.ErrnoException).code === 'EEXIST')
          throw new NectarError('CUSTODY_OBJECT_PRESENT', { object: name }, { cause: error });
        throw diskError(error, path);
      }
    },
    async remove(name) {
      const bytes = await sizeOf(place(name));
      if (bytes === undefined) return 0;
      await rm(place(name), { force: true });
      touched.add(dirname(place(name)));
      return bytes;
    },
    async settle() {
      for (const path of touched) await syncFolder(path);
      touched.clear();
    },
  };
}

async function* listBelow(folder: string, part: CustodyPart): AsyncGenerator<KeptObject, void, void> {
  const within = part === OBJECTS ? await namesIn(join(folder, part)) : [''];
  for (const shard of within) {
    const path = shard === '' ? part : `${part}${shard}/`;
    for (const name of await namesIn(join(folder, path))) {
      const bytes = parseRepositoryName(path + name) && (await sizeOf(join(folder, path, name)));
      if (bytes !== undefined) yield { name: path + name, bytes };
    }
  }
}

export const PARTS: readonly CustodyPart[] = [OBJECTS, TABLES, SNAPSHOTS];

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) names.push(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return names.sort();
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}
