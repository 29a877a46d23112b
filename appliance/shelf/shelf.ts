import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { makeFolder, replaceFile } from '../durable-file.ts';
import type { Shelf, ShelfText } from './interfaces.ts';

/** Of one text: a thousand tokens, or the revocation lists of sixteen authorities. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_TEXTS = 32;
const NAME = /^[a-z][a-z-]{0,31}$/;
const NOTHING = 'none';
const MODE = 0o600;

/**
 * Keeps small texts for roles that run more than once and have no disk of their own. A file each, as it is; its version is its hash, so
 * that a copy that a backup brings back needs nothing beside it.
 */
export function createShelf({ folder }: { readonly folder: string }): Shelf {
  let turn: Promise<unknown> = Promise.resolve();
  const known = new Map<string, { readonly stamp: string; readonly version: string }>();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const read = async (name: string): Promise<ShelfText> => {
    const text = await readText(pathOf(folder, name));
    return text === undefined ? { version: NOTHING } : { text, version: versionOf(text) };
  };
  /** Read again only when the file is another: this is asked twice a second. */
  const version = async (name: string): Promise<string> => {
    const path = pathOf(folder, name);
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    if (found === undefined) return NOTHING;
    const stamp = `${found.ino}/${found.size}/${found.mtimeNs}/${found.ctimeNs}`;
    const before = known.get(name);
    if (before?.stamp === stamp) return before.version;
    const { version: fresh } = await read(name);
    known.set(name, { stamp, version: fresh });
    return fresh;
  };

  return {
    read: (name) => inTurn(() => read(name)),
    versions: () =>
      inTurn(async () => {
        const names = (await readdir(folder).catch(() => [])).filter((name) => NAME.test(name)).slice(0, MAX_TEXTS);
        const all: { name: string; version: string }[] = [];
        for (const name of names) all.push({ name, version: await version(name) });
        return all;
      }),
    write: (name, text, after) =>
      inTurn(async () => {
        const path = pathOf(folder, name);
        if (Buffer.byteLength(text) > MAX_TEXT_BYTES)
          throw new NectarError('NODE_SHELF_TEXT_INVALID', { name, reason: 'it is too large' });
        if ((await version(name)) !== after) throw new NectarError('NODE_SHELF_CHANGED', { name });
        await makeFolder(folder);
        await replaceFile(path, text, MODE);
        return { version: versionOf(text) };
      }),
  };
}

function pathOf(folder: string, name: string): string {
  if (!NAME.test(name)) throw new NectarError('NODE_SHELF_TEXT_INVALID', { name, reason: 'no such name' });
  return join(folder, name);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MAX_TEXT_BYTES)
      throw new NectarError('NODE_SHELF_TEXT_INVALID', { name: path, reason: 'it is too large' });
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
