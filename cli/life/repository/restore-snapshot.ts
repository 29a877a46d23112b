import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readConfigFile, readPublicIdentity } from '../../../appliance/config/index.ts';
import { diskError } from '../../../appliance/durable-file.ts';
import {
  createBackupKeys,
  createIdentitySigner,
  type Keys,
  nodeEnvelopeCrypto,
} from '../../../appliance/keys/index.ts';
import { IDENTITIES } from '../../../appliance/keys/node-identity.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { cidDigest } from '../../../appliance/store/cid.ts';
import { findIndexSecret } from '../../../appliance/store/index-secret.ts';
import { buildSealedIndex, type SealedIndexBuilder } from '../../../appliance/store/sealed-index.ts';
import { type TakenBack, takeBackIndex } from '../../../appliance/store/take-back.ts';
import {
  blockCid,
  type ListedFile,
  type RepositoryHeader,
  type SnapshotManifest,
  TABLES,
  tableGeneration,
} from '../../../protocol/backup/repository.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey, type VerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import type { BackupEntry } from '../backup/entry.ts';
import { type PlaceRequest, placeRestored, refuseNewerHome, type Verified } from '../backup/restore-home.ts';
import { openIdentity } from '../open-identity.ts';
import { blobKey } from './index-copy.ts';
import { type KeyTableSink, readKeyTable } from './key-table.ts';
import {
  checked,
  type FoundSnapshot,
  findRepository,
  listGenerations,
  readFiles,
  readManifest,
  readSnapshot,
} from './open-repository.ts';
import { MAX_PACK_BYTES } from './packer.ts';
import { openWhole, type RepositorySecret } from './sealed-object.ts';
import type { Target } from './target.ts';

const FILE_MODE = 0o600;
const FETCHES_AT_ONCE = 8;
/** Written by a restore itself: the key file's place on this machine. */
const CONFIG = 'config.json';

export interface RestoreSnapshot extends PlaceRequest {
  readonly target: Target;
  /** Undefined: the newest. */
  readonly generation: number | undefined;
  /** False: they stay in the repository, for whoever fetches them one by one. */
  readonly blocks: boolean;
}

export interface RestoredSnapshot extends Verified {
  readonly snapshot: FoundSnapshot;
  /** Whose log and key table were taken: the newest. */
  readonly newest: FoundSnapshot;
  /** Versions that came after the wanted moment, and were left out. */
  readonly left: number;
}

/** Restores a node from a repository: the log, the keys and the tokens as the newest run left them, the records as of the snapshot. */
export function restoreSnapshot(request: RestoreSnapshot): Promise<RestoredSnapshot> {
  return placeRestored(request, (partial, opened) => unpackSnapshot(request, partial, opened));
}

/** The same into a folder that is there, with keys that stay the caller's. */
export async function unpackSnapshot(
  request: RestoreSnapshot,
  partial: string,
  opened: (keys: Keys) => Keys,
): Promise<RestoredSnapshot> {
  const { target } = request;
  const header = await findRepository(target);
  if (header === undefined)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `${target.url} is no repository` });
  const generations = await listGenerations(target);
  const newestGeneration = generations.at(-1);
  const wanted = request.generation ?? newestGeneration;
  if (newestGeneration === undefined || wanted === undefined || !generations.includes(wanted))
    throw new NectarError('BACKUP_SNAPSHOT_UNKNOWN', { target: target.url, generation: wanted ?? 0 });

  // What the table begins with unlocks the keys; only they say whose signature counts.
  const claimed = await findTable(target, newestGeneration);
  const table = await readKeyTable(target.read(claimed));
  for (const file of table.unlocking) await writeEntry(partial, file);
  const keys = opened(await request.unlock(partial));
  const key = await verifiedKey(partial, keys, header);
  const newest = await readSnapshot(target, newestGeneration, { header, key });
  const snapshot = wanted === newestGeneration ? newest : await readSnapshot(target, wanted, { header, key });
  const signer = createIdentitySigner(keys, IDENTITIES.checkpoint);
  const { repository, nodeId } = header;
  const backups = createBackupKeys({ nodeId }, { keys, signer, crypto: nodeEnvelopeCrypto });
  const secret: RepositorySecret = { repository, key: await backups.repositoryKey(repository) };
  try {
    const manifest = await readManifest(target, newest, secret);
    refuseNewerHome(manifest.homeFormat, request.home);
    const older = snapshot === newest ? manifest : await readManifest(target, snapshot, secret);
    await writeSmall(partial, older, request.keyFile);
    const index = await buildSealedIndex(join(partial, 'store', 'index'));
    try {
      const { sha256 } = await table.rest(secret, tableSink(partial, index));
      if (sha256 !== newest.tableSha256) throw new NectarError('BACKUP_ALTERED', { entry: 'the key table' });
      await writeFiles(request, { partial, index, secret, files: await readFiles(target, manifest, secret) });
    } finally {
      await index.close();
    }
    const back = snapshot === newest ? undefined : await takeBack(partial, keys, snapshot.leaves);
    return {
      header: {
        ...{ format: 'nectar-byon-backup', version: 1, nodeId, createdAt: snapshot.createdAt },
        ...{ program: manifest.program, homeFormat: manifest.homeFormat },
      },
      ...{ entries: manifest.files, bytes: manifest.bytes, manifestSha256: snapshot.manifestSha256 },
      ...{ snapshot, newest, left: back?.versions ?? 0 },
      ...(back !== undefined && { knownLeaves: back.known }),
    };
  } finally {
    secret.key.fill(0);
  }
}

/** The key table of a generation. That it is the one that the note means is seen by its digest, at its end. */
async function findTable(target: Target, generation: number): Promise<string> {
  for await (const { name } of target.list(TABLES)) if (tableGeneration(name) === generation) return name;
  throw new NectarError('BACKUP_OBJECT_MISSING', { object: `key table of generation ${generation}` });
}

/** The one that is sealed under the owner's root key: the one named in public.json could be anybody's. */
async function verifiedKey(folder: string, keys: Keys, { nodeId }: RepositoryHeader): Promise<VerifierKey> {
  const identity = readPublicIdentity(folder);
  const key = parseVerifierKey(identity.checkpointVkey);
  const sealed = await openIdentity(keys, IDENTITIES.checkpoint);
  if (identity.nodeId !== nodeId || !Buffer.from(key.publicKey).equals(sealed.publicKey))
    throw new NectarError('BACKUP_SIGNATURE_INVALID', { nodeId });
  return key;
}

async function writeSmall(partial: string, { small }: SnapshotManifest, keyFile: string | undefined): Promise<void> {
  for (const [path, content] of Object.entries(small))
    await writeFileAt(join(partial, path), Buffer.from(content, 'base64'));
  if (keyFile === undefined) return;
  const path = join(partial, CONFIG);
  const config = readConfigFile(path) as Record<string, object>;
  await writeFile(path, `${JSON.stringify({ ...config, keys: { ...config.keys, keyFile } }, undefined, 2)}\n`);
}

function tableSink(partial: string, index: SealedIndexBuilder): KeyTableSink {
  return { file: (entry) => writeEntry(partial, entry), entry: (key, value) => index.put(key, value) };
}

interface Writing {
  readonly partial: string;
  readonly index: SealedIndexBuilder;
  readonly secret: RepositorySecret;
  readonly files: ReadonlyMap<string, ListedFile>;
}

/** Packs one after the other, blocks some at a time. */
async function writeFiles(request: RestoreSnapshot, { partial, index, secret, files }: Writing): Promise<void> {
  const { target, signal, onBytes } = request;
  for (const [pack, within] of byPack(files.values())) {
    signal.throwIfAborted();
    const source = checked(target, pack);
    const content = await openWhole(source, secret, { kind: 'pack', maxBytes: MAX_PACK_BYTES });
    for (const { path, bytes, offset = 0 } of within) {
      if (offset + bytes > content.length) throw new NectarError('BACKUP_ALTERED', { entry: path });
      const part = content.subarray(offset, offset + bytes);
      if (path.startsWith('inline/')) await index.put(blobKey(path), part);
      else await writeFileAt(join(partial, path), part);
      onBytes(bytes);
    }
  }
  if (!request.blocks) return;
  const running = new Set<Promise<void>>();
  let failure: unknown;
  for (const { path, bytes } of files.values()) {
    if (blockCid(path) === undefined) continue;
    signal.throwIfAborted();
    while (running.size >= FETCHES_AT_ONCE) await Promise.race(running);
    if (failure !== undefined) throw failure;
    const job = fetchBlock(target, path, partial)
      .then(() => onBytes(bytes))
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => running.delete(job));
    running.add(job);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

async function fetchBlock(target: Target, path: string, partial: string): Promise<void> {
  const digest = cidDigest(blockCid(path) ?? '');
  const chunks: Uint8Array[] = [];
  for await (const chunk of checked(target, digest)) chunks.push(chunk);
  await writeFileAt(join(partial, path), Buffer.concat(chunks));
}

function byPack(files: Iterable<ListedFile>): Map<string, ListedFile[]> {
  const packs = new Map<string, ListedFile[]>();
  for (const file of files) {
    if (file.pack === undefined) continue;
    const within = packs.get(file.pack);
    if (within === undefined) packs.set(file.pack, [file]);
    else within.push(file);
  }
  return packs;
}

async function takeBack(partial: string, keys: Keys, logSize: number): Promise<TakenBack> {
  const folder = join(partial, 'store', 'index');
  const crypto = nodeEnvelopeCrypto;
  const indexKey = await findIndexSecret(folder, keys, crypto);
  try {
    const options = { folder, indexKey, crypto, randomBytes: (length: number) => new Uint8Array(randomBytes(length)) };
    return await takeBackIndex(options, logSize);
  } finally {
    indexKey.fill(0);
  }
}

async function writeEntry(folder: string, entry: BackupEntry): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.read()) chunks.push(chunk);
  await writeFileAt(join(folder, entry.path), Buffer.concat(chunks));
}

async function writeFileAt(path: string, content: Uint8Array): Promise<void> {
  try {
    await makeFolders(dirname(path), 0o700);
    await writeFile(path, content, { mode: FILE_MODE });
  } catch (error) {
    throw diskError(error, dirname(path));
  }
}
