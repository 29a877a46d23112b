import { readFile, stat } from 'node:fs/promises';
import { Compile } from 'typebox/compile';
import { replaceFile } from '../durable-file.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import {
  type BackupOverview,
  type BackupScheduleNote,
  type BackupStatus,
  BackupsFile,
  type NotedRepository,
  type VerificationNote,
} from './backup-schemas.ts';
import { createBackupMetrics } from './metrics.ts';

const MAX_FILE_BYTES = 1024 * 1024;
/** Of more repositories than this the one that was used least lately is forgotten. */
const MAX_REPOSITORIES = 16;
/** One run may be missed: the machine was off that night. */
const OVERDUE_AFTER_INTERVALS = 2;

const fileShape = Compile(BackupsFile);

/** What the node remembers of its backup repositories, so that it can raise the alarm. */
export interface BackupNotes {
  /** Each is durable when it resolves. */
  snapshot(of: { readonly repository: string; readonly generation: number; readonly auditLeaf: number }): Promise<void>;
  verification(note: VerificationNote): Promise<void>;
  schedule(note: BackupScheduleNote): Promise<void>;
  overview(): BackupOverview;
  /** Null when there is no repository. */
  status(): BackupStatus | null;
}

export interface BackupNotesDependencies {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** Reads what an earlier run of the node left. A damaged file is started anew: the evidence is in the audit log. */
export async function openBackupNotes(path: string, deps: BackupNotesDependencies): Promise<BackupNotes> {
  const { log, now } = deps;
  let kept: BackupsFile = { version: 1, repositories: [] };
  try {
    kept = (await readNotes(path)) ?? kept;
  } catch (error) {
    log.warn({ err: error }, 'the notes of backups are damaged: starting anew');
  }
  createBackupMetrics(deps.metrics, () => statusOf(kept.repositories, now()));

  const change = async (repository: string, changes: Partial<NotedRepository>): Promise<void> => {
    const known = kept.repositories.find((one) => one.repository === repository) ?? unknown(repository, now());
    const others = kept.repositories.filter((one) => one.repository !== repository);
    const next: BackupsFile = {
      version: 1,
      repositories: [...others, { ...known, ...changes }].slice(-MAX_REPOSITORIES),
    };
    await replaceFile(path, `${JSON.stringify(next, undefined, 2)}\n`, 0o600);
    kept = next;
  };
  const instant = (): string => new Date(now()).toISOString();

  return {
    snapshot: ({ repository, ...of }) => change(repository, { ...of, lastAt: instant() }),
    verification: (note) => change(note.repository, { verified: { at: instant(), ...note } }),
    schedule: ({ repository, everySeconds }) => change(repository, { everySeconds, since: instant() }),
    overview: () => ({
      overdue: kept.repositories.some((one) => isOverdue(one, now())),
      repositories: kept.repositories,
    }),
    status: () => statusOf(kept.repositories, now()),
  };
}

function unknown(repository: string, now: number): NotedRepository {
  const since = new Date(now).toISOString();
  return { repository, generation: null, lastAt: null, auditLeaf: null, everySeconds: null, since, verified: null };
}

async function readNotes(path: string): Promise<BackupsFile | undefined> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new RangeError('too large');
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!fileShape.Check(value)) throw new RangeError('another shape');
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isOverdue({ everySeconds, since, lastAt }: NotedRepository, now: number): boolean {
  if (everySeconds === null) return false;
  const begun = Math.max(Date.parse(since), Date.parse(lastAt ?? since));
  return now - begun > OVERDUE_AFTER_INTERVALS * everySeconds * 1000;
}

function statusOf(repositories: readonly NotedRepository[], now: number): BackupStatus | null {
  if (repositories.length === 0) return null;
  const good = repositories.flatMap(({ verified }) => (verified?.outcome === 'success' ? [verified.at] : []));
  return {
    repositories: repositories.length,
    lastAt: newest(repositories.flatMap(({ lastAt }) => lastAt ?? [])),
    verifiedAt: newest(good),
    faulty: repositories.filter(({ verified }) => verified?.outcome === 'failure').length,
    overdue: repositories.some((one) => isOverdue(one, now)),
  };
}

/** Instants of one form sort as text. */
function newest(instants: readonly string[]): string | null {
  return instants.toSorted().at(-1) ?? null;
}
