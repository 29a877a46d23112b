import type { LoggedFacts } from './logged-facts.ts';

/**
 * Waivers of hardening checks: one is what its newest leaf says, as long as the failure lasts that it was made for. A report of the same
 * profile in which its check is neither failed, nor waived, nor unseen ends it: it must not wait for the next failure.
 */

/** What a note of the fold says, as far as it matters here. */
interface Noted {
  readonly type: string;
  readonly detail: Readonly<Record<string, string>>;
}

const MADE = 'hardening.waive';
const REMOVED = 'hardening.unwaive';
/** More than a benchmark has checks of; the oldest are forgotten, so that their checks count again. */
const MAX_WAIVERS = 512;
/** The facts of a report's leaf that name checks which do not hold. */
const STILL_BAD = ['failed', 'failedBelow', 'waived', 'unseen'] as const;

/** Where a note of a waiver stands in the fold; undefined for a leaf that is none. */
export function waiverKey(type: string, { check }: LoggedFacts['detail']): string | undefined {
  return (type === MADE || type === REMOVED) && check !== undefined ? `${MADE} ${check}` : undefined;
}

/** Changes the fold: takes back what was removed, and forgets the oldest of too many. */
export function settleWaivers(notes: Map<string, Noted>, key: string): void {
  if (notes.get(key)?.type !== MADE) notes.delete(key);
  const kept = [...notes].filter(([, { type }]) => type === MADE);
  for (const [oldest] of kept.slice(0, Math.max(0, kept.length - MAX_WAIVERS))) notes.delete(oldest);
}

/** Changes the fold: ends the waivers whose failure has ended by a report. */
export function endWaivers(notes: Map<string, Noted>, { type, detail }: LoggedFacts): void {
  // A report of an earlier version does not say what is waived: it ends none.
  if (type !== 'hardening.report' || detail.waived === undefined) return;
  const bad = new Set(STILL_BAD.flatMap((name) => String(detail[name] ?? '').split(' ')));
  for (const [key, note] of notes) {
    if (note.type !== MADE || note.detail.profile !== detail.profile) continue;
    if (!bad.has(note.detail.check ?? '')) notes.delete(key);
  }
}
