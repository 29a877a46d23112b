import {
  HEADER_NAME,
  parseRepositoryName,
  type RepositoryName,
  SNAPSHOTS,
  snapshotGeneration,
  snapshotName,
  tableName,
} from '../../protocol/backup/repository.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { KeptObject, Removed } from './interfaces.ts';
import { PARTS, type RepositoryFolder } from './repository-folder.ts';
import { parsePinnedHeader, reasonToStay, type Vouched, verifySnapshot } from './vouched.ts';

/** Headers and notes: read whole, before they are looked at. */
const MAX_SMALL_BYTES = 64 * 1024;

/** A repository that has begun. */
export interface KeptRepositoryState {
  readonly files: RepositoryFolder;
  vouched: Vouched;
  /** Of all that is there and on its way. */
  bytes: number;
}

/** What is there, held against its own signatures. undefined: nothing has begun. */
export async function loadRepository(files: RepositoryFolder): Promise<KeptRepositoryState | undefined> {
  const content = await files.readSmall(HEADER_NAME);
  if (content === undefined) return undefined;
  const header = parsePinnedHeader(HEADER_NAME, content);
  let newest = 0;
  let bytes = 0;
  for (const part of PARTS) {
    for await (const object of files.list(part)) {
      bytes += object.bytes;
      if (part === SNAPSHOTS) newest = Math.max(newest, snapshotGeneration(object.name) ?? 0);
    }
  }
  const note = newest === 0 ? undefined : await files.readSmall(snapshotName(newest));
  const vouched = { header, newest: note === undefined ? undefined : verifySnapshot(header, newest, note) };
  return { files, vouched, bytes };
}

/** @throws NectarError CUSTODY_NAME_INVALID */
export function parseName(name: string): RepositoryName {
  const parsed = parseRepositoryName(name);
  if (parsed === undefined) throw new NectarError('CUSTODY_NAME_INVALID', {});
  return parsed;
}

export interface Addition {
  readonly name: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
}

/** Adds an object, a key table or a note. Notes come one after the other. */
export function addContent(one: KeptRepositoryState, addition: Addition): Promise<KeptObject> {
  const { name } = addition;
  const parsed = parseName(name);
  if (parsed.kind === 'header' || one.files.has(name))
    throw new NectarError('CUSTODY_OBJECT_PRESENT', { object: name });
  if (parsed.kind === 'note') return addNote(one, parsed.generation, addition);
  // An older key table, put back, would open again what was destroyed since.
  if (parsed.kind === 'table' && parsed.generation <= (one.vouched.newest?.generation ?? 0))
    throw new NectarError('CUSTODY_CONTENT_REFUSED', { object: name, problem: 'a later snapshot is there' });
  return withinQuota(one, addition, (body) => one.files.create(name, body, parsed.sha256));
}

async function addNote(one: KeptRepositoryState, generation: number, addition: Addition): Promise<KeptObject> {
  const { name, body } = addition;
  const content = await readSmall(name, body);
  const said = verifySnapshot(one.vouched.header, generation, content);
  if (!one.files.has(tableName(generation, said.tableSha256)))
    throw new NectarError('CUSTODY_CONTENT_REFUSED', { object: name, problem: 'its key table is not there' });
  const made = await withinQuota(one, { ...addition, body: once(content) }, (counted) =>
    one.files.create(name, counted, undefined),
  );
  if (generation > (one.vouched.newest?.generation ?? 0)) one.vouched = { ...one.vouched, newest: said };
  return made;
}

/** Bytes count while they come: many at once do not get past the quota together. */
async function withinQuota(
  one: KeptRepositoryState,
  { body, maxBytes: limit }: Addition,
  create: (body: AsyncIterable<Uint8Array>) => Promise<KeptObject>,
): Promise<KeptObject> {
  let taken = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (one.bytes + chunk.length > limit) throw new NectarError('CUSTODY_QUOTA', { limit, unit: 'bytes' });
      one.bytes += chunk.length;
      taken += chunk.length;
      yield chunk;
    }
  }
  try {
    return await create(counted());
  } catch (error) {
    one.bytes -= taken;
    throw error;
  }
}

/** All are looked at before any goes. @throws NectarError CUSTODY_REMOVAL_REFUSED */
export async function removeContent(
  one: KeptRepositoryState,
  names: readonly string[],
  prune: boolean,
): Promise<Removed> {
  for (const object of names) {
    const problem = reasonToStay(parseName(object), one.vouched, { prune, isThere: one.files.has });
    if (problem !== undefined) throw new NectarError('CUSTODY_REMOVAL_REFUSED', { object, problem });
  }
  let [objects, bytes] = [0, 0];
  for (const name of names) {
    if (!one.files.has(name)) continue;
    const freed = await one.files.remove(name);
    one.bytes -= freed;
    bytes += freed;
    objects += 1;
  }
  await one.files.settle();
  return { objects, bytes };
}

/** @throws NectarError CUSTODY_CONTENT_REFUSED for what is no header or note by its size */
export async function readSmall(object: string, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_SMALL_BYTES)
      throw new NectarError('CUSTODY_CONTENT_REFUSED', { object, problem: 'it is too large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
