import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../../appliance/make-folders.ts';
import type { SealedIndex } from '../../../appliance/store/sealed-index.ts';
import {
  encodeManifest,
  encodeRepositoryHeader,
  HEADER_NAME,
  objectName,
  REPOSITORY_VERSION,
  type RepositoryHeader,
  type SnapshotManifest,
  snapshotName,
  TABLES,
  tableGeneration,
  tableName,
} from '../../../protocol/backup/repository.ts';
import {
  encodeSnapshotStatement,
  NO_PREVIOUS,
  type SnapshotStatement,
} from '../../../protocol/backup/snapshot-statement.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { encodeNote, noteSignature } from '../../../protocol/merkle/note.ts';
import { encodeVerifierKey, type VerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { VERSION } from '../../version.ts';
import type { PinnedHome } from '../backup/collect.ts';
import type { BackupAuthority } from '../backup-authority.ts';
import { type CollectedHome, collectHome, createBlockWriter, packBlob } from './collect-home.ts';
import { createFileLists } from './file-lists.ts';
import { createIndexCopy, type IndexCopy } from './index-copy.ts';
import { writeKeyTable } from './key-table.ts';
import { knownFloor } from './known-floor.ts';
import { type FoundSnapshot, findRepository, listGenerations, readSnapshot } from './open-repository.ts';
import { createPacker } from './packer.ts';
import { readBefore } from './read-before.ts';
import { type RepositorySecret, sealObject } from './sealed-object.ts';
import { memoryObject, spoolObject } from './spooled-object.ts';
import type { Target } from './target.ts';

/** What this node remembers of a repository that it has written to. */
export interface KnownGeneration {
  readonly repository: string;
  readonly generation: number;
  readonly noteSha256: string;
}

export interface TakeSnapshot {
  readonly target: Target;
  readonly nodeId: string;
  readonly homeFormat: number;
  /** The node's checkpoint key. */
  readonly key: VerifierKey;
  readonly authority: BackupAuthority;
  readonly known: KnownGeneration | undefined;
  /** Go on although the repository is older than the node knows it. */
  readonly acceptOlder: boolean;
  /** Go on although the index has lost records. */
  readonly acceptLoss: boolean;
  /** A folder for what has to be whole before it is written; removed at the end. */
  readonly spool: string;
  readonly signal: AbortSignal;
  pin(spool: string): Promise<PinnedHome>;
  now(): number;
  onBytes(bytes: number): void;
}

export interface TakenSnapshot extends KnownGeneration {
  readonly createdAt: string;
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  /** What this run brought, and the key table, which is brought each time. */
  readonly newObjects: number;
  readonly newBytes: number;
  readonly tableBytes: number;
  /** Blocks that are not what their names say: they are not in the repository. `scrub` names their records. */
  readonly damagedBlocks: number;
  readonly auditLeaf: number | undefined;
  readonly manifestSha256: string;
  readonly warnings: readonly string[];
}

/**
 * Brings a home into a repository: what is new of it, and the key table, anew. The order is what a crash may interrupt anywhere:
 * objects, table, the signed note that names both, and only then the tables before it go. Until the note is there the last snapshot is
 * the one before, with its table.
 */
export async function takeSnapshot(request: TakeSnapshot): Promise<TakenSnapshot> {
  const { target, spool } = request;
  await makeFolders(spool, 0o700);
  const copy = createIndexCopy(join(spool, 'index'));
  try {
    const found = await findRepository(target);
    refuseVanished(request, found);
    const header = found ?? (await beginRepository(request));
    if (header.nodeId !== request.nodeId)
      throw new NectarError('BACKUP_REPOSITORY_FOREIGN', { target: target.url, nodeId: header.nodeId });
    const last = await findLast(request, header);
    const { repository } = header;
    const secret: RepositorySecret = { repository, key: await request.authority.repositoryKey(repository) };
    try {
      return await bring(request, { last, secret, copy });
    } finally {
      secret.key.fill(0);
    }
  } finally {
    await copy.drop();
    await rm(spool, { recursive: true, force: true });
  }
}

/** A disk that is not plugged in, or a holder that has emptied it, must not look like a repository that begins. */
function refuseVanished({ target, known, acceptOlder }: TakeSnapshot, found: RepositoryHeader | undefined): void {
  if (known === undefined || known.repository === found?.repository || acceptOlder) return;
  throw new NectarError('BACKUP_REPOSITORY_BEHIND', { target: target.url, found: 0, known: known.generation });
}

async function beginRepository({ target, nodeId, key, now }: TakeSnapshot): Promise<RepositoryHeader> {
  const createdAt = new Date(now()).toISOString();
  const repository = randomBytes(16).toString('hex');
  const header = {
    format: 'nectar-byon-repository',
    version: REPOSITORY_VERSION,
    repository,
    nodeId,
    createdAt,
    checkpointKey: encodeVerifierKey(key),
  } as const;
  if (!(await target.create(HEADER_NAME, memoryObject(Buffer.from(encodeRepositoryHeader(header))))))
    throw new NectarError('BACKUP_BUSY', { target: target.url });
  await target.settle();
  return header;
}

/** The newest snapshot, held against what this node remembers: whoever holds the repository may have put an older copy back. */
async function findLast(request: TakeSnapshot, header: RepositoryHeader): Promise<FoundSnapshot | undefined> {
  const { target, key, acceptOlder } = request;
  const known = request.known?.repository === header.repository ? request.known : undefined;
  const newest = (await listGenerations(target)).at(-1) ?? 0;
  const floor = await knownFloor(header.repository, { known, authority: request.authority });
  if (newest < floor && !acceptOlder)
    throw new NectarError('BACKUP_REPOSITORY_BEHIND', { target: target.url, found: newest, known: floor });
  if (newest === 0) return undefined;
  const last = await readSnapshot(target, newest, { header, key });
  if (known?.generation === newest && known.noteSha256 !== last.noteSha256)
    throw new NectarError('BACKUP_REPOSITORY_FORKED', { target: target.url, generation: newest });
  return last;
}

interface Bringing {
  readonly last: FoundSnapshot | undefined;
  readonly secret: RepositorySecret;
  readonly copy: IndexCopy;
}

async function bring(request: TakeSnapshot, { last, secret, copy }: Bringing): Promise<TakenSnapshot> {
  const { target, spool, signal } = request;
  const { before, known } = await readBefore(target, last, secret);
  const lists = createFileLists(known, before?.lists ?? []);
  const tally = { objects: 0, bytes: 0 };
  const packer = createPacker(target, secret, (file) => lists.add(file));
  const pinned = await request.pin(join(spool, 'blocks.list'));
  let home: CollectedHome;
  let damaged = 0;
  try {
    const blocks = createBlockWriter(target, lists, tally);
    home = await collectHome(pinned, {
      copy,
      lists,
      packer,
      blocks,
      leavesBefore: last?.leaves ?? 0,
      onBytes: request.onBytes,
      signal,
    });
    damaged = await blocks.end();
  } finally {
    await pinned.release();
  }
  const index = await copy.open();
  for await (const pair of index.blobs()) await packBlob(pair, { lists, packer });
  await packer.end();
  const [heads, versions] = [await index.count('head'), await index.count('version')];
  if (before !== undefined && heads < before.heads && !request.acceptLoss)
    throw new NectarError('BACKUP_INDEX_SHRUNK', { found: heads, known: before.heads });
  const written = await lists.write(target, secret, spool);
  const { homeFormat } = request;
  const manifest: SnapshotManifest = {
    ...{ version: 1, program: VERSION, homeFormat, heads, versions },
    ...written,
    small: home.small,
  };
  const sealed = await seal(manifest, secret);
  await target.create(objectName(sealed.sha256), sealed);
  const { checkpoint } = home;
  const signed = await finish(request, {
    ...{ secret, index, home, manifestSha256: sealed.sha256, createdAt: pinned.createdAt },
    ...{ generation: (last?.generation ?? 0) + 1, previous: last?.noteSha256 ?? NO_PREVIOUS, checkpoint },
  });
  return {
    ...signed,
    ...{ repository: secret.repository, createdAt: pinned.createdAt, files: written.files, bytes: written.bytes },
    ...{ records: heads, newObjects: tally.objects, newBytes: tally.bytes + packer.written() + sealed.bytes },
    ...{ damagedBlocks: damaged, manifestSha256: sealed.sha256, warnings: await target.warnings() },
  };
}

async function seal(manifest: SnapshotManifest, secret: RepositorySecret): Promise<ReturnType<typeof memoryObject>> {
  const parts: Uint8Array[] = [];
  for await (const part of sealObject([Buffer.from(encodeManifest(manifest))], secret, 'manifest')) parts.push(part);
  return memoryObject(Buffer.concat(parts));
}

interface Finishing {
  readonly secret: RepositorySecret;
  readonly index: SealedIndex;
  readonly home: CollectedHome;
  readonly manifestSha256: string;
  readonly createdAt: string;
  readonly generation: number;
  readonly previous: string;
  readonly checkpoint: { readonly size: number; readonly root: string };
}

async function finish(
  { target, spool, key, authority, nodeId }: TakeSnapshot,
  { secret, index, home, manifestSha256, createdAt, generation, previous, checkpoint }: Finishing,
): Promise<Pick<TakenSnapshot, 'generation' | 'noteSha256' | 'tableBytes' | 'auditLeaf'>> {
  const parts = { files: home.keyFiles, entries: () => index.entries() };
  const table = await spoolObject(writeKeyTable(parts, secret), spool);
  try {
    await target.create(tableName(generation, table.sha256), table);
    await target.settle();
    const statement: Omit<SnapshotStatement, 'nodeId'> = {
      ...{
        repository: secret.repository,
        generation,
        createdAt,
        leaves: home.leaves,
        checkpointSize: checkpoint.size,
        checkpointRoot: checkpoint.root,
      },
      ...{ manifestSha256, tableSha256: table.sha256, previous },
    };
    const { signature, auditLeaf } = await authority.sign({ kind: 'snapshot', ...statement });
    const text = encodeSnapshotStatement({ nodeId, ...statement });
    const note = memoryObject(Buffer.from(encodeNote({ text, signatures: [noteSignature(key, signature)] })));
    if (!(await target.create(snapshotName(generation), note)) && !(await isThere(target, generation, note.sha256)))
      throw new NectarError('BACKUP_BUSY', { target: target.url });
    await target.settle();
    await removeOldTables(target, tableName(generation, table.sha256));
    return { generation, noteSha256: note.sha256, tableBytes: table.bytes, auditLeaf };
  } finally {
    await table.drop();
  }
}

/** A write whose answer was lost was made all the same. */
async function isThere(target: Target, generation: number, sha256: string): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const chunk of target.read(snapshotName(generation))) hash.update(chunk);
  return hash.digest('hex') === sha256;
}

/** From here on no object of the repository holds what opened a record that is destroyed. */
async function removeOldTables(target: Target, current: string): Promise<void> {
  for await (const { name } of target.list(TABLES)) {
    if (name !== current && tableGeneration(name) !== undefined) await target.remove(name);
  }
  await target.settle();
}
