import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../protocol/errors.ts';

/** Where the descriptors of this process have names; what is behind them was chosen by whoever started it. */
const DESCRIPTOR = /^\/(dev\/(stdin|stdout|stderr|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;
/** How long a pipe may wait for somebody who reads it. */
const READER_WAIT_MS = 60_000;
const READER_POLL_MS = 100;
const MAX_LINKS = 40;

/** Whether a path is our stdout: what a command says of its result goes elsewhere then. */
export function isStdout(path: string): boolean {
  return path === '-' || ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'].includes(resolve(path));
}

/** Where the bytes of an output go. */
export type OutputPlace =
  /** A file, which appears whole or not at all; links to it stay links. */
  | { readonly kind: 'file'; readonly path: string }
  /** A pipe, a device, or a descriptor of this process: written through, never replaced. */
  | { readonly kind: 'stream'; readonly path: string };

/**
 * What a person means by `-o PATH`.
 *
 * @throws NectarError CLI_OUTPUT_EXISTS for a file that is there, unless `force`; CLI_OUTPUT_UNWRITABLE for a folder, a socket, and a
 *   disk that is named without `force`
 */
export async function outputPlace(path: string, force: boolean): Promise<OutputPlace> {
  const named = resolve(path);
  if (DESCRIPTOR.test(named)) return { kind: 'stream', path: named };
  const target = await followLinks(path, named);
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unwritable(path, error.code ?? error.message, error);
  });
  if (found === undefined) return { kind: 'file', path: target };
  if (found.isDirectory()) throw unwritable(path, 'it is a folder: name a file in it');
  if (found.isSocket()) throw unwritable(path, 'it is a socket');
  if (found.isFIFO() || found.isCharacterDevice()) return { kind: 'stream', path: target };
  if (!force) throw new NectarError('CLI_OUTPUT_EXISTS', { path });
  return { kind: found.isFile() ? 'file' : 'stream', path: target };
}

/** The same for an output that is read again once it is written, which only a file can be. @throws NectarError as outputPlace */
export async function outputFilePlace(path: string, force: boolean): Promise<string> {
  const place = await outputPlace(path, force);
  if (place.kind === 'file') return place.path;
  throw unwritable(path, 'it is no file, and this output is read again: name a file');
}

/** Where a link leads, also where nothing is there yet: a rename onto the link would replace it. */
async function followLinks(path: string, named: string): Promise<string> {
  let target = named;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const found = await lstat(target).catch(() => undefined);
    if (found?.isSymbolicLink() !== true) return target;
    const folder = await realpath(dirname(target));
    target = resolve(folder, await readlink(join(folder, basename(target))));
  }
  throw unwritable(path, 'ELOOP');
}

/**
 * Opens a place that is written through. A pipe waits until somebody reads it, and not for ever.
 *
 * @throws NectarError CLI_OUTPUT_UNWRITABLE
 */
export async function openStream(path: string, waitMs: number = READER_WAIT_MS): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_NOCTTY;
  // A descriptor may be of a file that something else has written to: what comes goes behind it.
  if (DESCRIPTOR.test(path)) return open(path, flags | constants.O_APPEND);
  const until = Date.now() + waitMs;
  for (;;) {
    try {
      const heard = await open(path, flags | constants.O_NONBLOCK);
      // Somebody reads: from now on a write may wait for him.
      return await open(path, flags).finally(() => heard.close());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      if (Date.now() > until) throw unwritable(path, 'nobody reads this pipe', error);
      await sleep(READER_POLL_MS);
    }
  }
}

function unwritable(path: string, reason: string, cause?: unknown): NectarError {
  return new NectarError('CLI_OUTPUT_UNWRITABLE', { path, reason }, { cause });
}
