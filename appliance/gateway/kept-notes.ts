import { readFile, stat } from 'node:fs/promises';
import { replaceFile } from '../durable-file.ts';
import type { Logger } from '../telemetry/index.ts';

const MAX_FILE_BYTES = 1024 * 1024;
/** One run may be missed: the machine was off that night. */
const OVERDUE_AFTER_INTERVALS = 2;

/** A small file of what the node was told and must remember: the evidence itself is in the audit log. */
export interface KeptNotes<T> {
  current(): T;
  /** Durable when it resolves. */
  keep(next: T): Promise<void>;
}

/** Reads what an earlier run of the node left. A damaged file is started anew. */
export async function openKeptNotes<T>(
  file: {
    readonly path: string;
    readonly isShape: (value: unknown) => value is T;
    readonly empty: T;
    /** For the log line: 'backups'. */
    readonly of: string;
  },
  log: Logger,
): Promise<KeptNotes<T>> {
  let kept = file.empty;
  try {
    kept = (await read(file.path, file.isShape)) ?? kept;
  } catch (error) {
    log.warn({ err: error, of: file.of }, 'kept notes are damaged: starting anew');
  }
  return {
    current: () => kept,
    async keep(next) {
      await replaceFile(file.path, `${JSON.stringify(next, undefined, 2)}\n`, 0o600);
      kept = next;
    },
  };
}

/** Whether what was to happen at intervals has not happened for too long. */
export function isOverdue(
  plan: { readonly everySeconds: number | null; readonly since: string; readonly lastAt: string | null },
  now: number,
): boolean {
  if (plan.everySeconds === null) return false;
  const begun = Math.max(Date.parse(plan.since), Date.parse(plan.lastAt ?? plan.since));
  return now - begun > OVERDUE_AFTER_INTERVALS * plan.everySeconds * 1000;
}

async function read<T>(path: string, isShape: (value: unknown) => value is T): Promise<T | undefined> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new RangeError('too large');
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isShape(value)) throw new RangeError('another shape');
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
