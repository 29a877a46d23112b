import { Compile } from 'typebox/compile';
import { NectarError } from '../../protocol/errors.ts';
import type { GatewayAudit, LoggedNote } from './audit-needs.ts';
import { LoggedWaiver, type RecordedReport, type WaiverNote } from './hardening-schemas.ts';
import { instantOf } from './kept-notes.ts';

/** A decision to live with a failure is taken anew every year (45 CFR 164.308(a)(8): periodic evaluation). */
const MAX_DAYS = 366;
const DAY_MS = 86_400_000;

const shape = Compile(LoggedWaiver);

/**
 * What is waived, by the log alone: no file says it. A leaf that does not say in which profile the check failed is of an earlier
 * version, which waived in advance too: it waives nothing. Nor does one that ends more than a year after it was made.
 *
 * @throws NectarError NODE_NOT_READY while the log cannot be asked
 */
export async function loggedWaivers(audit: Pick<GatewayAudit, 'loggedNotes'>): Promise<LoggedWaiver[]> {
  const notes = (await audit.loggedNotes()).filter(({ type }) => type === 'hardening.waive');
  return notes.map(waiverOf).filter((waiver) => shape.Check(waiver) && isShortEnough(waiver.until, waiver.since));
}

function waiverOf(note: LoggedNote): LoggedWaiver {
  const { check = '', owner = '', reason = '', until = '', by = '', profile = '' } = note.detail;
  return { check, owner, reason, until, since: instantOf(note), by, profile, auditLeaf: note.index };
}

/** @throws NectarError HARDENING_WAIVER_UNKNOWN */
export async function getWaiver(audit: Pick<GatewayAudit, 'loggedNotes'>, check: string): Promise<LoggedWaiver> {
  const waiver = (await loggedWaivers(audit)).find((candidate) => candidate.check === check);
  if (waiver === undefined) throw new NectarError('HARDENING_WAIVER_UNKNOWN', { id: check });
  return waiver;
}

/**
 * The newest report of a profile that says that the check fails: what holds cannot be waived in advance.
 *
 * @throws NectarError HARDENING_WAIVER_INVALID, HARDENING_WAIVER_NEEDLESS
 */
export function requireWaivable(
  { check, owner, reason, until }: Pick<WaiverNote, 'check' | 'owner' | 'reason' | 'until'>,
  { reports, now }: { readonly reports: readonly RecordedReport[]; readonly now: number },
): RecordedReport {
  const refuse = (problem: string): never => {
    throw new NectarError('HARDENING_WAIVER_INVALID', { problem });
  };
  if (owner.trim() === '' || reason.trim() === '') refuse('an owner and a reason are words');
  if (until < new Date(now).toISOString().slice(0, 10)) refuse(`${until} is over`);
  if (!isShortEnough(until, new Date(now).toISOString())) refuse(`${until} is more than a year away`);
  const report = reports.findLast(({ failed, failedBelow = [], waived = [] }) =>
    [failed, failedBelow, waived].some((ids) => ids.includes(check)),
  );
  if (report === undefined) throw new NectarError('HARDENING_WAIVER_NEEDLESS', { id: check });
  return report;
}

/** Both as ISO 8601 writes them. */
function isShortEnough(until: string, since: string): boolean {
  return Date.parse(`${until}T00:00:00Z`) - Date.parse(since) <= MAX_DAYS * DAY_MS;
}
