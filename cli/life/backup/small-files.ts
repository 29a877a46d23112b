import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { type BackupEntry, bytesEntry } from './entry.ts';

const MAX_SMALL_BYTES = 4 * 1024 * 1024;
const FILES = [
  'format.json',
  'config.json',
  'network.json',
  'keys.json',
  'tokens.json',
  'tls/ca.crt',
  'hardening/history.json',
];

/**
 * The home's small files; each is replaced by a rename, so that one read gives the old or the new. Left out on purpose: the server's
 * TLS key and the command line's token, which are in clear at rest. A restore makes new ones.
 */
export async function readSmallFiles(home: string): Promise<BackupEntry[]> {
  const identities = (await readdir(join(home, 'identity'))).filter(
    (name) => name === 'public.json' || name.endsWith('.sealed'),
  );
  const entries: BackupEntry[] = [];
  for (const path of [...FILES, ...identities.map((name) => `identity/${name}`)]) {
    const bytes = await readSmallFile(join(home, path));
    if (bytes !== undefined) entries.push(bytesEntry(path, bytes));
  }
  return entries;
}

/** What a JSON file of the home says, of any shape; undefined when it is not there. `refuse` names the file's own error. */
export async function readHomeJson(path: string, refuse: (reason: string, cause: unknown) => never): Promise<unknown> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readSmallFile(path);
  } catch (error) {
    return refuse(isNectarError(error, 'CLI_FILE_UNREADABLE') ? error.data.reason : String(error), error);
  }
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    return refuse('not JSON', error);
  }
}

/** undefined when it is not there. */
export async function readSmallFile(path: string): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size > MAX_SMALL_BYTES) throw new RangeError(`larger than ${MAX_SMALL_BYTES} bytes`);
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}
