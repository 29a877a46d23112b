import { readFile, stat } from 'node:fs/promises';
import { NectarError } from '../../../protocol/errors.ts';

const MAX_BYTES = 64 * 1024;
const OTHERS_MAY_READ = 0o077;

/** A file with the credentials of a place, in the form of the AWS tools: `key = value` lines, the first section of them. */
export interface CredentialsFile {
  find(key: string): string | undefined;
  need(key: string): string;
  /** Says what is wrong with it, never its content. */
  refuse(reason: string, cause?: unknown): never;
}

/** @throws NectarError CLI_FILE_UNREADABLE for a file that others may read, or that lacks what is needed */
export async function readCredentialsFile(path: string): Promise<CredentialsFile> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason }, { cause });
  };
  let text = '';
  try {
    const { mode, size } = await stat(path);
    if ((mode & OTHERS_MAY_READ) !== 0) refuse('others may read it: chmod 600');
    if (size > MAX_BYTES) refuse('it is too large');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof NectarError) throw error;
    refuse((error as NodeJS.ErrnoException).code ?? String(error), error);
  }
  const values = parseSection(text);
  return { find: (key) => values.get(key), need: (key) => values.get(key) ?? refuse(`it has no ${key}`), refuse };
}

function parseSection(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let sections = 0;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) sections += 1;
    const [, key = '', value = ''] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== '' && sections <= 1) values.set(key, value);
  }
  return values;
}
