import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import { diskError, replaceFile } from './durable-file.ts';

/** The format of a home, or of one role's volume, that this program writes. */
export const HOME_FORMAT = 1;

const MAX_FILE_BYTES = 4096;

/** Brings data from one format to the next. It must be repeatable: after a crash in the middle it runs again. */
export interface Migration {
  readonly from: number;
  /** For the log and for the person. */
  readonly title: string;
  run(folder: string): Promise<void>;
  /** Takes it back, for a program that knows the format before only. Repeatable too. */
  undo(folder: string): Promise<void>;
}

/** In order, without a gap. Format 1 is the first: there is nothing to bring along yet. */
export const MIGRATIONS: readonly Migration[] = [];

export interface FormatOptions {
  readonly known?: number;
  readonly migrations?: readonly Migration[];
  readonly onMigration?: (migration: Migration) => void;
}

/**
 * The format of the data in a folder: what FOLDER/format.json says; without one it is 1, which had no such file.
 *
 * @throws NectarError HOME_FORMAT_INVALID, HOME_FORMAT_NEWER
 */
export function readFormat(folder: string, known: number = HOME_FORMAT): number {
  const path = formatPath(folder);
  let format: unknown;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new NectarError('HOME_FORMAT_INVALID', { path });
    format = (JSON.parse(readFileSync(path, 'utf8')) as { format?: unknown } | null)?.format;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 1;
    throw error instanceof NectarError ? error : new NectarError('HOME_FORMAT_INVALID', { path }, { cause: error });
  }
  if (typeof format !== 'number' || !Number.isSafeInteger(format) || format < 1) {
    throw new NectarError('HOME_FORMAT_INVALID', { path });
  }
  if (format > known) throw new NectarError('HOME_FORMAT_NEWER', { home: folder, found: format, known });
  return format;
}

/**
 * Brings a folder that no process has open to the format of this program, one migration after the other; each is finished when
 * format.json says so, durably. Returns the titles of what was done.
 *
 * @throws NectarError HOME_FORMAT_INVALID, HOME_FORMAT_NEWER, HOME_MIGRATION_FAILED, NODE_DISK_FULL
 */
export async function migrateFormat(folder: string, options: FormatOptions = {}): Promise<string[]> {
  const { known = HOME_FORMAT, migrations = MIGRATIONS, onMigration } = options;
  const done: string[] = [];
  for (let format = readFormat(folder, known); format < known; format += 1) {
    const migration = migrations.find(({ from }) => from === format);
    const step = { from: format, to: format + 1 };
    if (migration === undefined)
      throw new NectarError('HOME_MIGRATION_FAILED', { ...step, reason: 'this program has no way' });
    onMigration?.(migration);
    try {
      await migration.run(folder);
      await replaceFile(formatPath(folder), `${JSON.stringify({ format: format + 1 })}\n`, 0o600);
    } catch (error) {
      throw failed(error, folder, step);
    }
    done.push(migration.title);
  }
  return done;
}

/**
 * The other way, newest first: for going back to a program that knows `to` at most. What is at `to` or before stays.
 *
 * @throws NectarError HOME_FORMAT_INVALID, HOME_FORMAT_NEWER, HOME_MIGRATION_FAILED, NODE_DISK_FULL
 */
export async function undoFormat(folder: string, to: number, options: FormatOptions = {}): Promise<string[]> {
  const { known = HOME_FORMAT, migrations = MIGRATIONS, onMigration } = options;
  const undone: string[] = [];
  for (let format = readFormat(folder, known); format > to; format -= 1) {
    const migration = migrations.find(({ from }) => from === format - 1);
    const step = { from: format, to: format - 1 };
    if (migration === undefined)
      throw new NectarError('HOME_MIGRATION_FAILED', { ...step, reason: 'this program has no way back' });
    onMigration?.(migration);
    try {
      await migration.undo(folder);
      await replaceFile(formatPath(folder), `${JSON.stringify({ format: format - 1 })}\n`, 0o600);
    } catch (error) {
      throw failed(error, folder, step);
    }
    undone.push(migration.title);
  }
  return undone;
}

function failed(error: unknown, folder: string, step: { from: number; to: number }): NectarError {
  const known = diskError(error, folder);
  if (known instanceof NectarError) return known;
  const { code, message } = error as NodeJS.ErrnoException;
  return new NectarError('HOME_MIGRATION_FAILED', { ...step, reason: code ?? message }, { cause: error });
}

function formatPath(folder: string): string {
  return join(folder, 'format.json');
}
