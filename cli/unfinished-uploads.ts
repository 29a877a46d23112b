import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../appliance/durable-file.ts';
import { tryLock } from '../appliance/folder-lock.ts';
import { makeFolders } from '../appliance/make-folders.ts';

/** Lock folders stay (folder-lock.ts): so many, however many files are put. */
const LOCKS = 16;
/** The node keeps an upload for a day or so; what lies here for longer is of no use. */
const KEPT_MS = 7 * 24 * 3_600_000;
const MAX_BYTES = 4096;
const LOCATION = /^\/v1\/uploads\/[0-9a-f]{32}$/;

/** Where an earlier run of the same put had come to: kept so that the command, run again, goes on. */
export interface UnfinishedUpload {
  /** The upload that an earlier run began and did not see to its end. */
  readonly location: string | undefined;
  begun(location: string): Promise<void>;
  /** Its record is told: the same put is a new one from now on. */
  finished(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Opens the note of a put, by what makes it the same one: the file as it is, and what its record is to be. Nothing of either is
 * readable in it. Undefined while another command puts the same, or where no note can be kept: the put is then good for one run.
 *
 * @param facts of the file and its record, in a fixed order
 */
export async function openUnfinished(
  home: string,
  facts: readonly unknown[],
  now: number,
): Promise<UnfinishedUpload | undefined> {
  const folder = join(home, 'client', 'uploads');
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  const path = join(folder, `${key}.json`);
  try {
    await makeFolders(folder, 0o700);
    const lock = await tryLock(join(folder, `lock-${Number.parseInt(key.slice(0, 8), 16) % LOCKS}`), 'a put');
    if (lock === undefined) return undefined;
    await sweep(folder, now);
    return {
      location: await readLocation(path),
      begun: (location) => replaceFile(path, JSON.stringify({ location }), 0o600),
      finished: () => rm(path, { force: true }),
      release: () => lock.release(),
    };
  } catch {
    // A home that this user may not write to, or a full disk: the put itself needs neither.
    return undefined;
  }
}

/** One that is damaged is none: the upload begins anew. */
async function readLocation(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return undefined;
    const { location } = JSON.parse(await readFile(path, 'utf8')) as { location?: unknown };
    return typeof location === 'string' && LOCATION.test(location) ? location : undefined;
  } catch {
    return undefined;
  }
}

async function sweep(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^[0-9a-f]{64}\.json$/.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > KEPT_MS) await rm(path, { force: true });
  }
}
