import type { BackupStatus } from '../../appliance/gateway/backup-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from '../render/output.ts';

/** The line of `status`: what is on record of repositories, and whether somebody must look. */
export function backupLines(backups: BackupStatus | null, style: Output['style']): [string, string][] {
  if (backups === null) return [['backups', 'no repository on record: nectar-byon backup --to PLACE']];
  const { faulty, overdue, verifiedAt } = backups;
  const colour = faulty > 0 || overdue ? 'red' : verifiedAt === null ? 'yellow' : 'green';
  return [['backups', style(colour, words(backups))]];
}

/** The check of `doctor`. A snapshot that does not come or does not restore is bad; one that nobody has restored yet is poor. */
export function checkRepositories(backups: BackupStatus | null): Check {
  const name = 'backup repository';
  if (backups === null)
    return {
      name,
      value: 'none on record',
      grade: 'poor',
      advice: 'nectar-byon backup --to PLACE, on another machine',
    };
  const { faulty, overdue, verifiedAt } = backups;
  const value = words(backups);
  if (faulty > 0) return { name, value, grade: 'bad', advice: 'nectar-byon backup verify: one does not restore' };
  if (overdue) return { name, value, grade: 'bad', advice: 'nectar-byon backup schedule: why does it not run?' };
  if (verifiedAt === null) return { name, value, grade: 'poor', advice: 'nectar-byon backup verify' };
  return { name, value, grade: 'good' };
}

function words({ repositories, lastAt, verifiedAt, faulty, overdue }: BackupStatus): string {
  return [
    repositories === 1 ? '1 repository' : `${repositories} repositories`,
    lastAt === null ? 'no snapshot yet' : `last ${minute(lastAt)}`,
    verifiedAt === null ? 'never restored' : `restored ${minute(verifiedAt)}`,
    ...(faulty > 0 ? [`DOES NOT RESTORE: ${faulty}`] : []),
    ...(overdue ? ['OVERDUE'] : []),
  ].join(', ');
}

function minute(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}
