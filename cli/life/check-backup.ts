import type { Check } from '../preflight.ts';
import { formatDuration } from '../render/quantities.ts';
import type { LastBackup } from './last-backup.ts';
import { noteAge } from './note-age.ts';

const DAY_MS = 86_400_000;
const GOOD_AGE_MS = 2 * DAY_MS;
const POOR_AGE_MS = 14 * DAY_MS;

/** How old is what a lost disk would be replaced with? */
export function checkBackupAge(last: LastBackup | undefined, now: number): Check {
  const advice = '`nectar-byon backup --out FILE`, to another disk';
  if (last === undefined) return { name: 'backup', value: 'none was made on this machine', grade: 'poor', advice };
  const age = noteAge(last.createdAt, now);
  if (age === undefined)
    return { name: 'backup', value: 'its note says no time that has been: not believed', grade: 'poor', advice };
  const value = `${formatDuration(age)} ago`;
  if (age <= GOOD_AGE_MS) return { name: 'backup', value, grade: 'good' };
  return { name: 'backup', value, grade: age <= POOR_AGE_MS ? 'poor' : 'bad', advice };
}
