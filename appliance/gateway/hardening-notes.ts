import { Compile } from 'typebox/compile';
import type { Logger, Metrics } from '../telemetry/index.ts';
import {
  HardeningFile,
  type HardeningOverview,
  type HardeningReportNote,
  type HardeningStatus,
  type RecordedReport,
  type ScheduleNote,
} from './hardening-schemas.ts';
import { isOverdue, openKeptNotes } from './kept-notes.ts';
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
  drift(note: HardeningReportNote): string[];
  /** Durable when it resolves. */
  record(report: RecordedReport): Promise<void>;
  /** Durable when it resolves. */
  schedule(note: ScheduleNote): Promise<void>;
  overview(): HardeningOverview;
  /** Null when there is neither a report nor a schedule. */
  status(): HardeningStatus | null;
}

export interface HardeningNotesDependencies {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** Reads what an earlier run of the node left. A damaged file is started anew: the evidence is in the audit log. */
export async function openHardeningNotes(text: KeptText, deps: HardeningNotesDependencies): Promise<HardeningNotes> {
  const { log, now } = deps;
  const metrics = createHardeningMetrics(deps.metrics);
  const empty: HardeningFile = { version: 1, schedule: null, reports: [] };
  const onKept = ({ reports }: HardeningFile): void => metrics.show(reports);
  const notes = await openKeptNotes({ text, isShape, empty, of: 'hardening reports', onKept }, log);
  const kept = (): HardeningFile => notes.current();
  metrics.overdue(() => isLate(kept(), now()));

  return {
    drift({ profile, failed }) {
      const last = kept().reports.find((report) => report.profile === profile);
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
    overview: () => ({ schedule: kept().schedule, overdue: isLate(kept(), now()), reports: kept().reports }),
    status: () => statusOf(kept(), now()),
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
    everySeconds: file.schedule?.everySeconds ?? null,
    overdue: isLate(file, now),
  };
}
