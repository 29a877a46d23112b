import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { KIND } from '../../../appliance/store/index-keys.ts';
import { encodeIndexFrame, type IndexFrame } from '../../../protocol/backup/index-frames.ts';
import { TABLES, tableGeneration } from '../../../protocol/backup/repository.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { readTar } from '../backup/read-tar.ts';
import { blobKey, createIndexCopy } from './index-copy.ts';
import { readKeyTable } from './key-table.ts';
import { checked, findRepository, listGenerations, readFiles, readManifest, readSnapshot } from './open-repository.ts';
import { MAX_PACK_BYTES } from './packer.ts';
import { openWhole, type RepositorySecret } from './sealed-object.ts';
import type { Target } from './target.ts';

/** What a backup has of the index, sealed as it is at rest: the node alone opens it. */
export interface BackupEntries {
  /** What opens records: frames of version entries. */
  versions(): AsyncIterable<Uint8Array>;
  /** Frames of the small blobs under these database keys, hex. */
  blobs(keys: ReadonlySet<string>): AsyncIterable<Uint8Array>;
}

export interface RepositoryEntries {
  readonly target: Target;
  /** NAME+HASH+KEY of the node. */
  readonly checkpointVkey: string;
  /** A folder for as long as they are read. */
  readonly scratch: string;
  repositoryKey(repository: string): Promise<Uint8Array>;
}

/** Of the newest snapshot. */
export async function openRepositoryEntries(request: RepositoryEntries): Promise<BackupEntries> {
  const { target, checkpointVkey, scratch } = request;
  const header = await findRepository(target);
  const newest = (await listGenerations(target)).at(-1);
  if (header === undefined || newest === undefined)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `${target.url} holds no snapshot` });
  const snapshot = await readSnapshot(target, newest, { header, key: parseVerifierKey(checkpointVkey) });
  const { repository } = header;
  const key = await request.repositoryKey(repository);
  const secret: RepositorySecret = { repository, key };
  const spool = join(scratch, 'versions');
  await spoolVersions(target, newest, { secret, spool });
  return {
    versions: () => createReadStream(spool, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>,
    async *blobs(keys) {
      const files = await readFiles(target, await readManifest(target, snapshot, secret), secret);
      const wanted = [...files.values()].filter(({ path }) => path.startsWith('inline/') && keys.has(keyOf(path)));
      for (const [pack, within] of Map.groupBy(wanted, (file) => file.pack ?? '')) {
        const content = await openWhole(checked(target, pack), secret, { kind: 'pack', maxBytes: MAX_PACK_BYTES });
        for (const { path, bytes, offset = 0 } of within)
          yield encodeIndexFrame([blobKey(path), content.subarray(offset, offset + bytes)]);
      }
    },
  };
}

/** The table is read by pushing: its versions wait in a file, however many they are. */
async function spoolVersions(
  target: Target,
  generation: number,
  { secret, spool }: { readonly secret: RepositorySecret; readonly spool: string },
): Promise<void> {
  const file = await open(spool, 'wx', 0o600);
  try {
    for await (const { name } of target.list(TABLES)) {
      if (tableGeneration(name) !== generation) continue;
      const table = await readKeyTable(target.read(name));
      await table.rest(secret, {
        file: async () => undefined,
        entry: async (key, value) => {
          if (key[0] === KIND.version) await file.writeFile(encodeIndexFrame([key, value]));
        },
      });
      return;
    }
  } finally {
    await file.close();
  }
  throw new NectarError('BACKUP_OBJECT_MISSING', { object: `key table of generation ${generation}` });
}

/** Of one file: its index is unpacked to `scratch`, and opened there without a key. */
export async function openFileEntries(
  file: string,
  scratch: string,
): Promise<BackupEntries & { close(): Promise<void> }> {
  const copy = createIndexCopy(join(scratch, 'index'));
  let begun = false;
  for await (const { path, size, content } of readTar(readFile(file))) {
    const ofIndex = path.startsWith('store/index/');
    // The index comes in one piece, after the small files and before all that is large.
    if (begun && !ofIndex) break;
    begun ||= ofIndex;
    if (ofIndex) await copy.add({ path, size, read: content });
    else for await (const _ of content());
  }
  const index = await copy.open();
  return {
    versions: () => framesOf(index.entries(), ([key]) => key[0] === KIND.version),
    blobs: (keys) => framesOf(index.blobs(), ([key]) => keys.has(Buffer.from(key).toString('hex'))),
    close: () => copy.drop(),
  };
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || !['open', 'read'].includes(syscall ?? '')) throw error;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code }, { cause: error });
  }
}

async function* framesOf(
  entries: AsyncIterable<IndexFrame>,
  isWanted: (entry: IndexFrame) => boolean,
): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) if (isWanted(entry)) yield encodeIndexFrame(entry);
}

function keyOf(path: string): string {
  return Buffer.from(blobKey(path)).toString('hex');
}
