import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import {
  HEADER_PATH,
  isBackupPath,
  isSmallFile,
  MANIFEST_PATH,
  STATEMENT_PATH,
} from '../../../protocol/backup/entry-path.ts';
import { type BackupHeader, manifestLine, parseBackupHeader } from '../../../protocol/backup/statement.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { createLineCheck } from './line-check.ts';
import { readTar, type TarEntry } from './read-tar.ts';

const MAX_HEADER_BYTES = 4096;
const MAX_NOTE_BYTES = 65_536;

export interface Unpacking {
  readonly source: AsyncIterable<Uint8Array>;
  /** Where the files go. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Before anything else is read. */
  onHeader(header: BackupHeader): Promise<void> | void;
  /** All small files are there; the large ones follow. */
  onSmallFiles(): Promise<void>;
  onBytes(bytes: number): void;
}

/** What was found, each hash compared with the manifest. The note's signature is still to be verified. */
export interface Unpacked {
  readonly header: BackupHeader;
  readonly note: string;
  readonly entries: number;
  readonly bytes: number;
  readonly manifestSha256: string;
}

/**
 * Reads a backup to its end: writes its files, hashes each, and compares with the manifest that follows them. Nothing but the paths of
 * a backup is written, whatever the archive names, and none twice.
 *
 * @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_VERSION_NEWER, BACKUP_TRUNCATED, BACKUP_ALTERED, NODE_DISK_FULL
 */
export async function unpackBackup(unpacking: Unpacking): Promise<Unpacked> {
  const lines = createLineCheck();
  const total = { entries: 0, bytes: 0 };
  let header: BackupHeader | undefined;
  let manifestSha256: string | undefined;
  let note: string | undefined;
  let large = false;
  const add = (entry: TarEntry, sha256: string): void => {
    lines.add(manifestLine({ path: entry.path, sha256 }));
    total.entries += 1;
    total.bytes += entry.size;
  };
  for await (const entry of readTar(unpacking.source)) {
    unpacking.signal.throwIfAborted();
    if (header === undefined) {
      const bytes = await readHeader(entry);
      header = parseBackupHeader(Buffer.from(bytes).toString('utf8'));
      await unpacking.onHeader(header);
      add(entry, createHash('sha256').update(bytes).digest('hex'));
    } else if (note !== undefined) {
      throw malformed('something follows its statement');
    } else if (manifestSha256 !== undefined) {
      if (entry.path !== STATEMENT_PATH) throw malformed('something follows its manifest');
      note = Buffer.from(await readWhole(entry, MAX_NOTE_BYTES)).toString('utf8');
    } else if (entry.path === MANIFEST_PATH) {
      manifestSha256 = await lines.compare(entry.content());
    } else {
      if (!isBackupPath(entry.path)) throw malformed('it holds a file that no backup has');
      if (!large && !isSmallFile(entry.path)) {
        large = true;
        await unpacking.onSmallFiles();
      }
      add(entry, await writeEntry(entry, unpacking));
    }
  }
  if (header === undefined || manifestSha256 === undefined || note === undefined) throw malformed('its end is missing');
  return { header, note, manifestSha256, ...total };
}

function readHeader(entry: TarEntry): Promise<Uint8Array> {
  if (entry.path !== HEADER_PATH) throw malformed('it does not begin as a backup does');
  return readWhole(entry, MAX_HEADER_BYTES);
}

/** Returns its SHA-256. Durable only after syncTree. */
async function writeEntry(entry: TarEntry, { folder, signal, onBytes }: Unpacking): Promise<string> {
  const path = join(folder, entry.path);
  const hash = createHash('sha256');
  try {
    await makeFolders(dirname(path), 0o700);
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of entry.content()) {
        signal.throwIfAborted();
        hash.update(chunk);
        await file.writeFile(chunk);
        onBytes(chunk.length);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw malformed('it holds a file twice');
    throw diskError(error, folder);
  }
  return hash.digest('hex');
}

async function readWhole(entry: TarEntry, maxBytes: number): Promise<Uint8Array> {
  if (entry.size > maxBytes)
    throw malformed(`${entry.path === HEADER_PATH ? 'its header' : 'its statement'} is too large`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function malformed(problem: string): NectarError {
  return new NectarError('BACKUP_FORMAT_INVALID', { problem });
}
