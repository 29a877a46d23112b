import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { diskError, isDiskFull } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** The folder that a program archive holds. */
const PROGRAM_FOLDER = 'nectar-byon';
const PROGRAM = /^nectar-byon-.+-linux-(amd64|arm64)\.tar\.gz$/;

export function isProgramArchive(name: string): boolean {
  return PROGRAM.test(name);
}

/**
 * Unpacks the program of a bundle, whose checksum is checked already, below `folder`. It has its name only when it is whole.
 *
 * @returns the path of the command
 * @throws NectarError BUNDLE_INVALID, NODE_DISK_FULL
 */
export async function unpackProgram(archive: string, folder: string, signal?: AbortSignal): Promise<string> {
  const partial = join(folder, `.${PROGRAM_FOLDER}.${process.pid}`);
  const target = join(folder, PROGRAM_FOLDER);
  try {
    await mkdir(partial, { mode: 0o755 });
    await unpack(archive, partial, signal);
    await rename(join(partial, PROGRAM_FOLDER), target);
  } catch (error) {
    if (isDiskFull(error)) throw diskError(error, folder);
    throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return join(target, 'nectar-byon');
}

async function unpack(archive: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const members = extract();
  members.on('entry', (header, content, next) => {
    if (header.type === 'file' && isMember(header.name)) {
      const executable = ((header.mode ?? 0) & 0o100) !== 0;
      writeMember(join(folder, header.name), executable, content).then(() => next(), next);
    } else next(new NectarError('BUNDLE_INVALID', { path: archive, problem: `its program holds ${header.name}` }));
  });
  try {
    await pipeline(createReadStream(archive), createGunzip(), members, { ...(signal && { signal }) });
  } catch (error) {
    if (!isDamaged(error)) throw error;
    throw new NectarError('BUNDLE_INVALID', { path: archive, problem: 'its program is damaged' }, { cause: error });
  }
}

/** Relative, without a step up, below the one folder. */
function isMember(name: string): boolean {
  const [top, ...steps] = name.split('/');
  return top === PROGRAM_FOLDER && steps.length > 0 && steps.every((step) => !['', '.', '..'].includes(step));
}

async function writeMember(path: string, executable: boolean, content: Readable): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(content, createWriteStream(path, { flags: 'wx', mode: executable ? 0o755 : 0o644 }));
}

function isDamaged(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith('Z_') === true || /tar header|unexpected end/i.test(message);
}
