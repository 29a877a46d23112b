import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { readSmallFile } from './backup/small-files.ts';

/** When every record was last re-read by `scrub` from this machine: HOME/run/last-scrub.json. Not evidence, only a reminder. */
export interface LastScrub {
  readonly at: string;
}

/** A home that cannot be written has been scrubbed all the same. */
export async function recordScrub(home: string, { at }: LastScrub): Promise<void> {
  try {
    await makeFolders(join(home, 'run'), 0o700);
    await replaceFile(lastScrubPath(home), `${JSON.stringify({ at })}\n`, 0o600);
  } catch {
    // The report is what counts.
  }
}

export async function findLastScrub(home: string): Promise<LastScrub | undefined> {
  try {
    const bytes = await readSmallFile(lastScrubPath(home));
    const { at } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as Partial<LastScrub>;
    return typeof at === 'string' ? { at } : undefined;
  } catch {
    return undefined;
  }
}

function lastScrubPath(home: string): string {
  return join(home, 'run', 'last-scrub.json');
}
