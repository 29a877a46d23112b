import { Compile } from 'typebox/compile';
import type { Metrics } from '../telemetry/index.ts';
import type { LoggedNote } from './audit-needs.ts';
import {
  HardeningFile,
  type HardeningOverview,
  type HardeningReportNote,
  type HardeningStatus,
  RecordedReport,
  type ScheduleNote,
} from './hardening-schemas.ts';
import { everySecondsOf, instantOf, isOverdue, type KeptNotesDeps, openKeptNotes } from './kept-notes.ts';
import type { KeptText } from './kept-text.ts';
import { createHardeningMetrics } from './metrics.ts';

/** One report of each profile is kept; of more profiles than this the oldest is forgotten. */
const MAX_PROFILES = 16;

const fileShape = Compile(HardeningFile);
const isShape = (value: unknown): value is HardeningFile => fileShape.Check(value);

/** What the node remembers of hardening reports, so that it can raise the alarm: the reports themselves lie with the owner. */
export interface HardeningNotes {
  /**
   * The checks of a new report that have drifted: they failed, and held when a report of this profile was first recorded or have
   * held since. One stays drifted, report after report, until it holds again or is waived.
   */
  drift(note: HardeningReportNote): Promise<string[]>;
  /** Durable when it resolves. */
  record(report: RecordedReport): Promise<void>;
  /** Durable when it resolves. */
  schedule(note: ScheduleNote): Promise<void>;
  overview(): Promise<HardeningOverview>;
  /** Null when there is neither a report nor a schedule. */
  status(): Promise<HardeningStatus | null>;
  /** Holds them against the log, if it can be asked: before a leaf that they do not have yet. */
  hold(): Promise<void>;
}

export interface HardeningNotesDependencies extends KeptNotesDeps {
  readonly metrics: Metrics;
}

/** Reads what an earlier run of the node left, and holds it against the log. */
export async function openHardeningNotes(text: KeptText, deps: HardeningNotesDependencies): Promise<HardeningNotes> {
  const { now } = deps;
  const metrics = createHardeningMetrics(deps.metrics);
  const empty: HardeningFile = { version: 1, schedule: null, reports: [] };
  const onKept = ({ reports }: HardeningFile): void => metrics.show(reports);
  const notes = await openKeptNotes({ text, isShape, empty, of: 'hardening reports', fold: foldReports, onKept }, deps);
  metrics.overdue(() => isLate(notes.last(), now()));
  metrics.fit(() => fitnessOf(notes.last().reports)?.fit);

  return {
    async drift({ profile, failed }) {
      const last = (await notes.current()).reports.find((report) => report.profile === profile);
      if (last === undefined) return [];
      const known = last.failed.filter((id) => !last.drifted.includes(id));
      return failed.filter((id) => !known.includes(id));
    },
    record(report) {
      return notes.change((current) => {
        const others = current.reports.filter(({ profile }) => profile !== report.profile);
        return { ...current, reports: [...others, report].slice(-MAX_PROFILES) };
      });
    },
    schedule({ everySeconds, profile }) {
      const since = new Date(now()).toISOString();
      const schedule = everySeconds === null ? null : { everySeconds, profile, since };
      return notes.change((current) => ({ ...current, schedule }));
    },
    async overview() {
      const { schedule, reports } = await notes.current();
      return { schedule, overdue: isLate(notes.last(), now()), reports };
    },
    status: async () => statusOf(await notes.current(), now()),
    hold: async () => void (await notes.current()),
  };
}

/** The report that the alarms are about: of the scheduled profile, else the newest of any. */
function leading({ schedule, reports }: HardeningFile): RecordedReport | undefined {
  return schedule === null ? reports.at(-1) : reports.find(({ profile }) => profile === schedule.profile);
}

function isLate(file: HardeningFile, now: number): boolean {
  return file.schedule !== null && isOverdue({ ...file.schedule, lastAt: leading(file)?.at ?? null }, now);
}

function statusOf(file: HardeningFile, now: number): HardeningStatus | null {
  const last = leading(file);
  if (last === undefined && file.schedule === null) return null;
  return {
    lastAt: last?.at ?? null,
    profile: last?.profile ?? file.schedule?.profile ?? '',
    score: last?.score ?? null,
    failed: last?.failed.length ?? 0,
    unseen: last?.unseen.length ?? 0,
    drifted: last?.drifted.length ?? 0,
    waived: last?.waived?.length ?? last?.counts.waived ?? 0,
    waivedCritical: last?.waivedCritical?.length ?? 0,
    everySeconds: file.schedule?.everySeconds ?? null,
    overdue: isLate(file, now),
    fitness: fitnessOf(file.reports),
  };
}

/** By the newest report that says it: every report judges it by the same checks, so that no profile is kinder than another. */
function fitnessOf(reports: readonly RecordedReport[]): NonNullable<HardeningStatus['fitness']> | null {
  const saying = reports.filter(({ fitness }) => fitness !== undefined);
  const last = saying.toSorted((a, b) => a.auditLeaf - b.auditLeaf).at(-1);
  return last?.fitness === undefined ? null : { ...last.fitness, at: last.at };
}

const reportShape = Compile(RecordedReport);

/** What the leaves amount to. One whose body was erased tells nothing. */
function foldReports(notes: readonly LoggedNote[]): HardeningFile {
  const reports = notes.filter(({ type }) => type === 'hardening.report').map(reportOf);
  const schedule = notes.findLast(({ type }) => type === 'hardening.schedule');
  const everySeconds = schedule === undefined ? null : everySecondsOf(schedule);
  const known = reports.filter((report) => reportShape.Check(report)).slice(-MAX_PROFILES);
  if (schedule === undefined || everySeconds === null) return { version: 1, schedule: null, reports: known };
  const { profile = '' } = schedule.detail;
  return { version: 1, schedule: { everySeconds, profile, since: instantOf(schedule) }, reports: known };
}

function reportOf(note: LoggedNote): unknown {
  const { digest, fileFormat, fileDigest, signer, collectedAt, profile, threshold, score, ...detail } = note.detail;
  const counts = Object.entries(detail).filter(([name]) => name.startsWith(COUNT_PREFIX));
  return {
    digest,
    ...(fileFormat !== undefined && { file: { format: fileFormat, digest: fileDigest } }),
    ...(signer !== undefined && { signer }),
    ...{ collectedAt, profile, threshold, score: Number(score) },
    counts: Object.fromEntries(counts.map(([name, count]) => [name.slice(COUNT_PREFIX.length), Number(count)])),
    ...{ failed: idsOf(detail.failed), unseen: idsOf(detail.unseen), at: instantOf(note), auditLeaf: note.index },
    drifted: idsOf(detail.drifted),
    ...Object.fromEntries(LATER_LISTS.filter((name) => name in detail).map((name) => [name, idsOf(detail[name])])),
    ...(detail.fit !== undefined && { fitness: { fit: detail.fit === 'yes', reasons: reasonsOf(detail.reasons) } }),
  };
}

/** Lists that leaves of earlier versions do not have. */
export const LATER_LISTS = ['failedBelow', 'waived', 'waivedCritical'] as const;

/** A leaf has one text for all reasons; none of them holds a semicolon. */
export const REASON_SEPARATOR = '; ';

function reasonsOf(text = ''): string[] {
  return text === '' ? [] : text.split(REASON_SEPARATOR);
}

/** Of the facts of a leaf that say how many checks had a verdict. */
export const COUNT_PREFIX = 'count.';

function idsOf(text = ''): string[] {
  return text.split(' ').filter((id) => id !== '');
}
