import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError, isDiskFull } from '../../../appliance/durable-file.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { readTar, type TarEntry } from '../backup/read-tar.ts';
import { BUNDLE_CHECKSUMS, BUNDLE_MANIFEST, type BundleManifest } from './write-bundle.ts';

const MAX_TEXT_BYTES = 64 * 1024;
const LINE = /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9._-]{0,99})$/;

/** A bundle that lies in a folder now. */
export interface UnpackedBundle {
  readonly manifest: BundleManifest;
  /** SHA-256 in hex of every part by its name, in the order of the bundle. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Unpacks an offline bundle into an empty folder and compares every file with the bundle's checksums. These stand against a damaged
 * copy; against a forged one stands the signature of the release (cli/release/), which is held against `digests`.
 *
 * @throws NectarError BUNDLE_INVALID, BUNDLE_ALTERED, CLI_FILE_UNREADABLE, NODE_DISK_FULL
 */
export async function unpackBundle(path: string, folder: string, signal?: AbortSignal): Promise<UnpackedBundle> {
  try {
    return await unpack(path, folder, signal);
  } catch (error) {
    if (isNectarError(error, 'BACKUP_TRUNCATED') || isNectarError(error, 'BACKUP_FORMAT_INVALID')) {
      throw new NectarError('BUNDLE_INVALID', { path, problem: problemOf(error) }, { cause: error });
    }
    if (isDiskFull(error)) throw diskError(error, folder);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || !['open', 'read'].includes(syscall ?? '')) throw error;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code }, { cause: error });
  }
}

async function unpack(path: string, folder: string, signal: AbortSignal | undefined): Promise<UnpackedBundle> {
  let sums: Map<string, string> | undefined;
  let manifest: BundleManifest | undefined;
  const digests = new Map<string, string>();
  for await (const entry of readTar(
    createReadStream(path, { highWaterMark: 1024 * 1024, signal }) as AsyncIterable<Uint8Array>,
  )) {
    if (sums === undefined) {
      sums = parseSums(await readText(entry, path), path);
      continue;
    }
    const expected = sums.get(entry.path);
    if (expected === undefined) throw new NectarError('BUNDLE_INVALID', { path, problem: 'a file without a checksum' });
    sums.delete(entry.path);
    if ((await writePart(entry, join(folder, entry.path))) !== expected) {
      throw new NectarError('BUNDLE_ALTERED', { path, entry: entry.path });
    }
    if (entry.path === BUNDLE_MANIFEST) manifest = await readManifest(join(folder, BUNDLE_MANIFEST), path);
    else digests.set(entry.path, expected);
  }
  const [missing] = sums?.keys() ?? [];
  if (missing !== undefined) throw new NectarError('BUNDLE_INVALID', { path, problem: `${missing} is missing` });
  if (manifest === undefined) throw new NectarError('BUNDLE_INVALID', { path, problem: 'it says nothing of itself' });
  return { manifest, digests };
}

function parseSums(text: string, path: string): Map<string, string> {
  const lines = text.split('\n').slice(0, -1);
  const sums = new Map(lines.map((line) => [LINE.exec(line)?.[2] ?? '', LINE.exec(line)?.[1] ?? '']));
  if (sums.has('') || sums.size !== lines.length)
    throw new NectarError('BUNDLE_INVALID', { path, problem: 'its checksums' });
  return sums;
}

async function readText(entry: TarEntry, path: string): Promise<string> {
  if (entry.path !== BUNDLE_CHECKSUMS || entry.size > MAX_TEXT_BYTES) {
    throw new NectarError('BUNDLE_INVALID', { path, problem: 'it does not begin with its checksums' });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('latin1');
}

async function writePart(entry: TarEntry, target: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(target, 'wx', 0o644);
  try {
    for await (const chunk of entry.content()) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function readManifest(file: string, path: string): Promise<BundleManifest> {
  const handle = await open(file);
  try {
    if ((await handle.stat()).size > MAX_TEXT_BYTES) throw new Error('too large');
    const value = JSON.parse(await handle.readFile('utf8')) as Partial<BundleManifest>;
    if (value.format === 'nectar-byon-bundle' && value.version === 1 && typeof value.program === 'string')
      return value as BundleManifest;
  } catch {
    // Said below.
  } finally {
    await handle.close();
  }
  throw new NectarError('BUNDLE_INVALID', { path, problem: 'its manifest is of another kind' });
}

function problemOf(error: NectarError<'BACKUP_TRUNCATED'> | NectarError<'BACKUP_FORMAT_INVALID'>): string {
  return error.code === 'BACKUP_TRUNCATED' ? 'it ends early' : (error.data as { problem: string }).problem;
}
