import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import type { Terminal } from '../../terminal.ts';
import { createFolderTarget } from './folder-target.ts';
import { readNodeCredentials } from './node-credentials.ts';
import { createNodeTarget } from './node-target.ts';
import { readS3Credentials } from './s3-credentials.ts';
import { createS3Target } from './s3-target.ts';
import type { Target } from './target.ts';

/** Where a repository is, as the operator says it. */
export interface TargetPlace {
  readonly target: string;
  /** File with the credentials of a place that is not a folder. */
  readonly credentials?: string | undefined;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//;

/** One spelling of a place: a folder by its whole path. @throws NectarError CLI_USAGE for a scheme that is none */
export function targetPlace(terminal: Pick<Terminal, 'workingFolder'>, text: string): string {
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme === undefined) return resolve(terminal.workingFolder, text);
  if (scheme === 's3' || scheme === 'node') return text.replace(/\/+$/, '');
  throw new NectarError('CLI_USAGE', {
    problem: `${scheme}:// is no place for a repository: a folder, s3:// or node://`,
  });
}

/** @throws NectarError CLI_USAGE for a place that is no folder without credentials; CLI_FILE_UNREADABLE */
export async function openTarget({ target, credentials }: TargetPlace, signal: AbortSignal): Promise<Target> {
  if (!SCHEME.test(target)) return createFolderTarget(target);
  if (credentials === undefined)
    throw new NectarError('CLI_USAGE', { problem: 'name the file with the credentials: --credentials FILE' });
  if (target.startsWith('node://')) return createNodeTarget(target, await readNodeCredentials(credentials), signal);
  return createS3Target(target, await readS3Credentials(credentials), signal);
}

/** Whether what an operator names is a repository, and not a file. */
export async function isRepository(terminal: Pick<Terminal, 'workingFolder'>, text: string): Promise<boolean> {
  if (SCHEME.test(text)) return true;
  return stat(resolve(terminal.workingFolder, text)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
