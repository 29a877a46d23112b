import { Compile } from 'typebox/compile';
import type { Logger, Metrics } from '../telemetry/index.ts';
import {
  type BackupOverview,
  type BackupScheduleNote,
  type BackupStatus,
  BackupsFile,
  type NotedRepository,
  type VerificationNote,
} from './backup-schemas.ts';
import { isOverdue, openKeptNotes } from './kept-notes.ts';
import type { KeptText } from './kept-text.ts';
import { createBackupMetrics } from './metrics.ts';

/** Of more repositories than this the one that was used least lately is forgotten. */
const MAX_REPOSITORIES = 16;

const fileShape = Compile(BackupsFile);
const isShape = (value: unknown): value is BackupsFile => fileShape.Check(value);

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
export async function openBackupNotes(text: KeptText, deps: BackupNotesDependencies): Promise<BackupNotes> {
  const { log, now } = deps;
  const empty: BackupsFile = { version: 1, repositories: [] };
  const notes = await openKeptNotes({ text, isShape, empty, of: 'backups' }, log);
  const repositories = (): readonly NotedRepository[] => notes.current().repositories;
  createBackupMetrics(deps.metrics, () => statusOf(repositories(), now()));

  const change = (repository: string, changes: Partial<NotedRepository>): Promise<void> =>
    notes.change(({ repositories: before }) => {
      const known = before.find((one) => one.repository === repository) ?? unknown(repository, now());
      const others = before.filter((one) => one.repository !== repository);
      return { version: 1, repositories: [...others, { ...known, ...changes }].slice(-MAX_REPOSITORIES) };
    });
  const instant = (): string => new Date(now()).toISOString();

  return {
    snapshot: ({ repository, ...of }) => change(repository, { ...of, lastAt: instant() }),
    verification: (note) => change(note.repository, { verified: { at: instant(), ...note } }),
    schedule: ({ repository, everySeconds }) => change(repository, { everySeconds, since: instant() }),
    overview: () => ({
      overdue: repositories().some((one) => isOverdue(one, now())),
      repositories: [...repositories()],
    }),
    status: () => statusOf(repositories(), now()),
  };
}

function unknown(repository: string, now: number): NotedRepository {
  const since = new Date(now).toISOString();
  return { repository, generation: null, lastAt: null, auditLeaf: null, everySeconds: null, since, verified: null };
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
