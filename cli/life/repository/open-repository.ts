import { createHash } from 'node:crypto';
import {
  HEADER_NAME,
  type ListedFile,
  objectName,
  parseListLine,
  parseManifest,
  parseRepositoryHeader,
  type RepositoryHeader,
  SNAPSHOTS,
  type SnapshotManifest,
  snapshotGeneration,
  snapshotName,
} from '../../../protocol/backup/repository.ts';
import { parseSnapshotStatement, type SnapshotStatement } from '../../../protocol/backup/snapshot-statement.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { parseNote, verifyNote } from '../../../protocol/merkle/note.ts';
import type { VerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { openObject, openWhole, type RepositorySecret } from './sealed-object.ts';
import type { Target } from './target.ts';

const MAX_HEADER_BYTES = 4096;
const MAX_NOTE_BYTES = 65_536;
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MAX_LINE_BYTES = 4096;

/** A snapshot whose signature holds. */
export interface FoundSnapshot extends SnapshotStatement {
  /** Of its note, hex: what the next one names. */
  readonly noteSha256: string;
}

/** undefined when nothing is there yet. @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_VERSION_NEWER, BACKUP_TARGET_REFUSED */
export async function findRepository(target: Target): Promise<RepositoryHeader | undefined> {
  try {
    return parseRepositoryHeader((await readSmall(target, HEADER_NAME, MAX_HEADER_BYTES)).toString('utf8'));
  } catch (error) {
    if (isNectarError(error, 'BACKUP_OBJECT_MISSING')) return undefined;
    throw error;
  }
}

/** The generations that are there, oldest first. */
export async function listGenerations(target: Target): Promise<number[]> {
  const generations: number[] = [];
  for await (const { name } of target.list(SNAPSHOTS)) {
    const generation = snapshotGeneration(name);
    if (generation !== undefined) generations.push(generation);
  }
  return generations.toSorted((a, b) => a - b);
}

/** @throws NectarError BACKUP_SIGNATURE_INVALID, BACKUP_SNAPSHOT_UNKNOWN */
export async function readSnapshot(
  target: Target,
  generation: number,
  by: { readonly header: RepositoryHeader; readonly key: VerifierKey },
): Promise<FoundSnapshot> {
  const { nodeId, repository } = by.header;
  const note = await readSmall(target, snapshotName(generation), MAX_NOTE_BYTES).catch((error: unknown) => {
    if (!isNectarError(error, 'BACKUP_OBJECT_MISSING')) throw error;
    throw new NectarError('BACKUP_SNAPSHOT_UNKNOWN', { target: target.url, generation }, { cause: error });
  });
  let said: SnapshotStatement;
  try {
    const parsed = parseNote(note.toString('utf8'));
    verifyNote(parsed, [by.key]);
    said = parseSnapshotStatement(parsed.text);
  } catch (cause) {
    throw new NectarError('BACKUP_SIGNATURE_INVALID', { nodeId }, { cause });
  }
  // A note of another repository, or under another number, is authentic and yet not this one.
  if (said.nodeId !== nodeId || said.repository !== repository || said.generation !== generation)
    throw new NectarError('BACKUP_SIGNATURE_INVALID', { nodeId });
  return { ...said, noteSha256: createHash('sha256').update(note).digest('hex') };
}

export async function readManifest(
  target: Target,
  { manifestSha256 }: SnapshotStatement,
  secret: RepositorySecret,
): Promise<SnapshotManifest> {
  const source = checked(target, manifestSha256);
  return parseManifest(
    (await openWhole(source, secret, { kind: 'manifest', maxBytes: MAX_MANIFEST_BYTES })).toString('utf8'),
  );
}

/** The files of a snapshot, by path: some hundred bytes of memory each. */
export async function readFiles(
  target: Target,
  { lists }: SnapshotManifest,
  secret: RepositorySecret,
): Promise<Map<string, ListedFile>> {
  const files = new Map<string, ListedFile>();
  for (const list of lists) {
    for await (const text of linesOf(openObject(checked(target, list), secret, 'list'))) {
      const line = parseListLine(text);
      if ('gone' in line) files.delete(line.gone);
      else files.set(line.path, line);
    }
  }
  return files;
}

/** An object's bytes; its digest is compared at the end. @throws NectarError BACKUP_ALTERED, BACKUP_OBJECT_MISSING */
export async function* checked(target: Target, sha256: string): AsyncGenerator<Uint8Array> {
  const name = objectName(sha256);
  const hash = createHash('sha256');
  for await (const chunk of target.read(name)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) throw new NectarError('BACKUP_ALTERED', { entry: name });
}

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + Buffer.from(chunk).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_BYTES)
      throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'a list of files is malformed' });
    yield* lines;
  }
  if (rest !== '') throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'a list of files ends early' });
}

async function readSmall(target: Target, name: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of target.read(name)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `its ${name} is too large` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
