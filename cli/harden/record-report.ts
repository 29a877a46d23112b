import { type HardeningReportNote, RecordedReport } from '../../appliance/gateway/hardening-schemas.ts';
import type { Profile, Severity } from '../../hardening/check.ts';
import { isAtLeast, type Report, waivedCritical } from '../../hardening/report/report.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { findGateway, openNodeClient } from '../node-client.ts';

/** What became of putting a report on record. */
export type OnRecord = { readonly report: RecordedReport } | { readonly reason: string };

export interface RecordRequest {
  readonly home: string;
  readonly signal: AbortSignal;
  readonly note: HardeningReportNote;
}

/** Hands digest and numbers to the node, for its audit log and its alarms. A node that cannot take them makes no report worthless. */
export async function recordReport({ home, signal, note }: RecordRequest): Promise<OnRecord> {
  if ((await findGateway(home)) === undefined) return { reason: 'the node does not run' };
  const client = await openNodeClient({ home, signal });
  try {
    return { report: await client.json(RecordedReport, 'POST', '/v1/hardening/reports', note) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NectarError && !isNectarError(error, 'CLI_INTERNAL')) return { reason: error.message };
    throw error;
  } finally {
    await client.close();
  }
}

export interface NotedFile {
  readonly digest: string;
  readonly file: { readonly format: string; readonly digest: string } | undefined;
  readonly signer: string | undefined;
}

/** Judged at the profile's own threshold, so that a run with another one is no drift. */
export function noteOf(report: Report, profile: Profile, { digest, file, signer }: NotedFile): HardeningReportNote {
  const { results } = report;
  const of = (verdict: 'fail' | 'error' | 'waived', isMeant = (_: Severity): boolean => true): string[] =>
    results.filter((result) => result.verdict === verdict && isMeant(result.severity)).map(({ check }) => check);
  const counts = (severity: Severity): boolean => isAtLeast(severity, profile.threshold);
  return {
    digest,
    ...(file !== undefined && { file }),
    ...(signer !== undefined && { signer }),
    collectedAt: report.collectedAt,
    profile: profile.name,
    threshold: profile.threshold,
    score: report.score.value,
    counts: { ...report.counts },
    failed: of('fail', counts),
    unseen: of('error', counts),
    failedBelow: of('fail', (severity) => !counts(severity)),
    waived: of('waived'),
    waivedCritical: [...waivedCritical(report)],
    fitness: { fit: report.fitness.fit, reasons: [...report.fitness.reasons] },
  };
}
