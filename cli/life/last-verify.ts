import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import type { Check } from '../preflight.ts';
import { formatDuration } from '../render/quantities.ts';
import { readSmallFile } from './backup/small-files.ts';
import { noteAge } from './note-age.ts';

const GOOD_AGE_MS = 31 * 86_400_000;

/** What the doctor knows of the last `audit verify` on this machine: HOME/run/last-verify.json. Not evidence, only a reminder. */
export interface LastVerify {
  readonly at: string;
  readonly integrity: string;
  readonly completeness: string;
}

/** A home that cannot be written has been verified all the same. */
export async function recordVerify(home: string, { at, integrity, completeness }: LastVerify): Promise<void> {
  try {
    await makeFolders(join(home, 'run'), 0o700);
    await replaceFile(lastVerifyPath(home), `${JSON.stringify({ at, integrity, completeness })}\n`, 0o600);
  } catch {
    // The verdict is what counts.
  }
}

export async function findLastVerify(home: string): Promise<LastVerify | undefined> {
  try {
    const bytes = await readSmallFile(lastVerifyPath(home));
    const value = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as Partial<LastVerify>;
    const { at, integrity, completeness } = value;
    if (typeof at !== 'string' || typeof integrity !== 'string' || typeof completeness !== 'string') return undefined;
    return { at, integrity, completeness };
  } catch {
    return undefined;
  }
}

export function checkVerifyAge(last: LastVerify | undefined, now: number): Check {
  const advice = 'nectar-byon audit verify';
  if (last === undefined) return { name: 'last verify', value: 'never on this machine', grade: 'poor', advice };
  const age = noteAge(last.at, now);
  const value = age === undefined ? 'its note says no time that has been: not believed' : `${formatDuration(age)} ago`;
  if (last.integrity === 'violated' || last.completeness === 'violated') {
    return { name: 'last verify', value: `${value}: violated`, grade: 'bad', advice };
  }
  const good = age !== undefined && age <= GOOD_AGE_MS;
  return { name: 'last verify', value, grade: good ? 'good' : 'poor', ...(!good && { advice }) };
}

function lastVerifyPath(home: string): string {
  return join(home, 'run', 'last-verify.json');
}
