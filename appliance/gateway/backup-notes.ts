import { Compile } from 'typebox/compile';
import type { Metrics } from '../telemetry/index.ts';
import type { LoggedNote } from './audit-needs.ts';
import {
  type BackupOverview,
  type BackupScheduleNote,
  type BackupStatus,
  BackupsFile,
  NotedRepository,
  type VerificationNote,
} from './backup-schemas.ts';
import { everySecondsOf, instantOf, isOverdue, type KeptNotesDeps, openKeptNotes } from './kept-notes.ts';
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
  overview(): Promise<BackupOverview>;
  /** Null when there is no repository. */
  status(): Promise<BackupStatus | null>;
  /** Holds them against the log, if it can be asked: before a leaf that they do not have yet. */
  hold(): Promise<void>;
}

export interface BackupNotesDependencies extends KeptNotesDeps {
  readonly metrics: Metrics;
}

/** Reads what an earlier run of the node left, and holds it against the log. */
export async function openBackupNotes(text: KeptText, deps: BackupNotesDependencies): Promise<BackupNotes> {
  const { now } = deps;
  const empty: BackupsFile = { version: 1, repositories: [] };
  const notes = await openKeptNotes({ text, isShape, empty, of: 'backups', fold: foldRepositories }, deps);
  createBackupMetrics(deps.metrics, () => statusOf(notes.last().repositories, now()));

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
    async overview() {
      const { repositories } = await notes.current();
      return { overdue: repositories.some((one) => isOverdue(one, now())), repositories };
    },
    status: async () => statusOf((await notes.current()).repositories, now()),
    hold: async () => void (await notes.current()),
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

const repositoryShape = Compile(NotedRepository);

/** What the leaves amount to, the repository that was used last at the end. One whose body was erased tells nothing. */
function foldRepositories(notes: readonly LoggedNote[]): BackupsFile {
  const known = new Map<string, NotedRepository>();
  for (const note of notes) {
    const { repository } = note.detail;
    if (repository === undefined) continue;
    const before = known.get(repository) ?? unknown(repository, Date.parse(note.time));
    const next = { ...before, ...changesOf(note) };
    if (!repositoryShape.Check(next)) continue;
    known.delete(repository);
    known.set(repository, next);
  }
  return { version: 1, repositories: [...known.values()].slice(-MAX_REPOSITORIES) };
}

function changesOf(note: LoggedNote): Partial<NotedRepository> {
  const { type, index, outcome, detail } = note;
  const at = instantOf(note);
  if (type === 'node.backup') return { generation: Number(detail.generation), lastAt: at, auditLeaf: index };
  if (type === 'backup.schedule') return { everySeconds: everySecondsOf(note), since: at };
  if (type !== 'backup.verify') return {};
  const { repository = '', opened, generation, records, objects, bytes, leaves, milliseconds, faults } = detail;
  const counts = { generation, records, objects, bytes, leaves, milliseconds, faults };
  const numbers = Object.fromEntries(Object.entries(counts).map(([name, text]) => [name, Number(text)])) as Record<
    keyof typeof counts,
    number
  >;
  return { verified: { at, repository, outcome, opened: opened === 'yes', ...numbers } };
}
