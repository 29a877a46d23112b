import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { readSmallFile } from './backup/small-files.ts';

/** What the doctor knows of the last backup: HOME/run/last-backup.json. */
export interface LastBackup {
  readonly file: string;
  readonly createdAt: string;
  readonly fileBytes: number;
}

export async function recordBackup(home: string, { file, createdAt, fileBytes }: LastBackup): Promise<void> {
  await makeFolders(join(home, 'run'), 0o700);
  await replaceFile(lastBackupPath(home), `${JSON.stringify({ file, createdAt, fileBytes })}\n`, 0o600);
}

/** undefined when none was made here, or the note of it is damaged: it is a hint, nothing more. */
export async function findLastBackup(home: string): Promise<LastBackup | undefined> {
  try {
    const bytes = await readSmallFile(lastBackupPath(home));
    if (bytes === undefined) return undefined;
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<LastBackup>;
    const { file, createdAt, fileBytes } = value;
    if (typeof file !== 'string' || typeof createdAt !== 'string' || typeof fileBytes !== 'number') return undefined;
    return { file, createdAt, fileBytes };
  } catch {
    return undefined;
  }
}

function lastBackupPath(home: string): string {
  return join(home, 'run', 'last-backup.json');
}
