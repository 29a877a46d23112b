import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countLeaves, markRestored } from '../../../appliance/audit/index.ts';
import { readConfigFile, readPublicIdentity } from '../../../appliance/config/index.ts';
import { HOME_FORMAT, readFormat } from '../../../appliance/home-format.ts';
import { type Keys, nodeEnvelopeCrypto } from '../../../appliance/keys/index.ts';
import { IDENTITIES } from '../../../appliance/keys/node-identity.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { declareRestored } from '../../../appliance/store/declared-restore.ts';
import { findIndexSecret } from '../../../appliance/store/index-secret.ts';
import { markVolumes } from '../../../appliance/volume-marks.ts';
import { type BackupHeader, parseStatement } from '../../../protocol/backup/statement.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseNote, verifyNote } from '../../../protocol/merkle/note.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { refuseExisting } from '../../home-folder.ts';
import { homeError } from '../../provision/process/home-error.ts';
import { buildAside, inScratch, sweepAbandoned } from '../../provision/staging-folder.ts';
import { noteCopy } from '../copy-reports.ts';
import { openIdentity } from '../open-identity.ts';
import { renewCertificate } from '../renew-certificate.ts';
import { replaceClientToken } from '../renew-client-token.ts';
import { type NewerLog, type TakenLog, takeNewerLog } from './newer-log.ts';
import { type Unpacked, unpackBackup } from './unpack.ts';

export interface RestorePlace {
  readonly home: string;
  /** An empty folder to fill, of whoever makes the home from it; absent: the home is made here. */
  readonly into?: string;
  /** By which its API is called there. */
  readonly names?: readonly string[];
}

export interface RestoreRequest extends RestorePlace {
  readonly file: string;
  /** A copy of the log that is newer than the backup. */
  readonly log?: NewerLog | undefined;
  /** Only look: nothing stays. */
  readonly check: boolean;
  /** Written into the configuration; undefined: as the backup has it. */
  readonly keyFile: string | undefined;
  readonly signal: AbortSignal;
  now(): number;
  onBytes(bytes: number): void;
  /** Opens the keys of the folder that is being restored. */
  unlock(folder: string): Promise<Keys>;
}

export interface Restored {
  readonly header: BackupHeader;
  readonly entries: number;
  readonly bytes: number;
  /** The log that was taken in place of the backup's. */
  readonly log?: TakenLog;
}

/**
 * Restores a backup to a home that must not exist yet. All is unpacked beside its place, and verified there: each hash, the manifest, the
 * signature by the key that the owner's own key file or passphrase unseals. Only then it is renamed. A restore that fails or is
 * interrupted leaves nothing.
 */
export function restoreHome(request: RestoreRequest): Promise<Restored> {
  return placeRestored(request, async (partial, opened) => {
    let keys: Keys | undefined;
    const unlock = async (): Promise<Keys> => opened(await openRestored(partial, request));
    const unpacked = await unpackBackup({
      source: readBackupFile(request.file),
      folder: partial,
      signal: request.signal,
      onHeader: ({ homeFormat }) => refuseNewerHome(homeFormat, request.home),
      onSmallFiles: async () => {
        keys = await unlock();
      },
      onBytes: request.onBytes,
    });
    keys ??= await unlock();
    await verifyStatement(unpacked, partial, keys);
    return unpacked;
  });
}

/** What a restore needs to know, wherever the backup lies. */
export type PlaceRequest = Omit<RestoreRequest, 'file'>;

/** What was unpacked, verified. */
export interface Verified extends Restored {
  readonly manifestSha256: string;
  /** Leaves that the index knew of, when it was taken back to an earlier moment. */
  readonly knownLeaves?: number;
}

/** Fills a folder, verifies it, and tells what keys it opened. */
type Unpack<T> = (folder: string, opened: (keys: Keys) => Keys) => Promise<T>;

/** Unpacks beside its place with `unpack`, makes it usable, and gives it its name. */
export async function placeRestored<T extends Verified>(request: PlaceRequest, unpack: Unpack<T>): Promise<T> {
  const { home, check, into } = request;
  if (into !== undefined) return fillRestored(into, request, unpack);
  if (!check) refuseExisting(home);
  try {
    await sweepAbandoned(home, 'partial');
    return await (check ? inScratch : buildAside)(home, 'partial', (folder) => fillRestored(folder, request, unpack));
  } catch (error) {
    throw homeError(error, home);
  }
}

async function fillRestored<T extends Verified>(folder: string, request: PlaceRequest, unpack: Unpack<T>): Promise<T> {
  let keys: Keys | undefined;
  try {
    const found = await unpack(folder, (opened) => {
      keys = opened;
      return opened;
    });
    const { log } = request;
    const unpacked =
      log === undefined || keys === undefined
        ? found
        : { ...found, log: await takeNewerLog(folder, { keys, unlock: request.unlock }, log) };
    if (!request.check && keys !== undefined) {
      await makeUsable(folder, keys, request);
      await markRestored(join(folder, 'audit'), keys.derive('audit-body'), request.now());
      await declareIndex(folder, keys, unpacked);
      await noteRestore(folder, unpacked, request.now());
      request.signal.throwIfAborted();
    }
    return unpacked;
  } finally {
    await keys?.stop();
  }
}

export function refuseNewerHome(homeFormat: number, home: string): void {
  if (homeFormat > HOME_FORMAT)
    throw new NectarError('HOME_FORMAT_NEWER', { home, found: homeFormat, known: HOME_FORMAT });
}

/** Before hours of copying: does what the owner holds open this backup at all? */
async function openRestored(folder: string, { keyFile, unlock }: PlaceRequest): Promise<Keys> {
  if (keyFile !== undefined) {
    const path = join(folder, 'config.json');
    const config = readConfigFile(path) as Record<string, object>;
    await writeFile(path, `${JSON.stringify({ ...config, keys: { ...config.keys, keyFile } }, undefined, 2)}\n`);
  }
  return unlock(folder);
}

/** The signature counts only by the key that is sealed under the owner's root key: the one named in public.json could be anybody's. */
async function verifyStatement({ header, note, ...unpacked }: Unpacked, folder: string, keys: Keys): Promise<void> {
  const { nodeId, checkpointVkey } = readPublicIdentity(folder);
  const refuse = (): never => {
    throw new NectarError('BACKUP_SIGNATURE_INVALID', { nodeId: header.nodeId });
  };
  const sealed = await openIdentity(keys, IDENTITIES.checkpoint);
  const key = parseVerifierKey(checkpointVkey);
  if (nodeId !== header.nodeId || !Buffer.from(key.publicKey).equals(sealed.publicKey)) refuse();
  let text: string;
  try {
    const parsed = parseNote(note);
    verifyNote(parsed, [key]);
    text = parsed.text;
  } catch (cause) {
    throw new NectarError('BACKUP_SIGNATURE_INVALID', { nodeId: header.nodeId }, { cause });
  }
  const said = parseStatement(text);
  const { entries, bytes, manifestSha256 } = unpacked;
  const same = said.entries === entries && said.bytes === bytes && said.manifestSha256 === manifestSha256;
  if (!same || said.nodeId !== header.nodeId || said.createdAt !== header.createdAt) refuse();
  readFormat(folder);
}

/** What a backup leaves out because it is in clear at rest, or of this machine: made anew. */
async function makeUsable(folder: string, keys: Keys, { now, names }: PlaceRequest): Promise<void> {
  for (const name of ['logs', 'run']) await makeFolders(join(folder, name), 0o700);
  await markVolumes(folder);
  await renewCertificate({ home: folder, keys, now: now(), names });
  await replaceClientToken({ home: folder, keys, now });
}

/** The index says that it is restored, from which backup, and beside how much of the log. */
async function declareIndex(folder: string, keys: Keys, verified: Verified): Promise<void> {
  const { header, manifestSha256, knownLeaves: known = 0 } = verified;
  const indexKey = await findIndexSecret(join(folder, 'store', 'index'), keys, nodeEnvelopeCrypto);
  try {
    await declareRestored(
      {
        ...{ folder: join(folder, 'store', 'index'), indexKey, crypto: nodeEnvelopeCrypto },
        randomBytes: (length) => new Uint8Array(randomBytes(length)),
      },
      {
        leaves: await countLeaves(join(folder, 'audit')),
        ...{ known, backupCreatedAt: header.createdAt, manifestSha256 },
      },
    );
  } finally {
    indexKey.fill(0);
  }
}

/** In the home before it gets its place: a restored node that starts says what it is made of. */
function noteRestore(folder: string, { header, entries, bytes, manifestSha256 }: Verified, now: number): Promise<void> {
  const at = new Date(now).toISOString();
  return noteCopy(folder, {
    ...{ what: 'restore', at, backupCreatedAt: header.createdAt },
    ...{ entries, bytes, manifestSha256 },
  });
}

async function* readBackupFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || !['open', 'read'].includes(syscall ?? '')) throw error;
    throw new NectarError('CLI_FILE_UNREADABLE', { path: file, reason: code }, { cause: error });
  }
}
