import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { publish, syncTree } from '../../../appliance/durable-file.ts';
import { HOME_FORMAT, readFormat } from '../../../appliance/home-format.ts';
import type { Keys } from '../../../appliance/keys/index.ts';
import { type BackupHeader, parseStatement } from '../../../protocol/backup/statement.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseNote, verifyNote } from '../../../protocol/merkle/note.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { refuseExisting } from '../../home-folder.ts';
import { homeError } from '../../provision/process/home-error.ts';
import { IDENTITIES } from '../../provision/process/identities.ts';
import { noteCopy } from '../copy-reports.ts';
import { openIdentity } from '../open-identity.ts';
import { renewCertificate } from '../renew-certificate.ts';
import { replaceClientToken } from '../renew-client-token.ts';
import { type Unpacked, unpackBackup } from './unpack.ts';

export interface RestoreRequest {
  readonly file: string;
  readonly home: string;
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
}

/** Unpacks beside its place with `unpack`, which verifies, and tells what keys it opened; then makes it usable and gives it its name. */
export async function placeRestored<T extends Verified>(
  request: PlaceRequest,
  unpack: (partial: string, opened: (keys: Keys) => Keys) => Promise<T>,
): Promise<T> {
  const { home } = request;
  if (!request.check) refuseExisting(home);
  const partial = `${home}.partial-${process.pid}`;
  let keys: Keys | undefined;
  try {
    await mkdir(dirname(home), { recursive: true });
    await mkdir(partial, { mode: 0o700 });
    const unpacked = await unpack(partial, (opened) => {
      keys = opened;
      return opened;
    });
    if (!request.check && keys !== undefined) {
      await makeUsable(partial, keys, request);
      await noteRestore(partial, unpacked, request.now());
      await syncTree(partial);
      request.signal.throwIfAborted();
      await publish(partial, home);
    }
    return unpacked;
  } catch (error) {
    throw homeError(error, home);
  } finally {
    await keys?.stop();
    await rm(partial, { recursive: true, force: true });
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
    const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, object>;
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

/** What a backup leaves out because it is in clear at rest: made anew, for this machine. */
async function makeUsable(folder: string, keys: Keys, { now }: PlaceRequest): Promise<void> {
  for (const name of ['logs', 'run']) await mkdir(join(folder, name), { mode: 0o700 });
  await renewCertificate({ home: folder, keys, now: now() });
  await replaceClientToken({ home: folder, keys, now });
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
