/**
 * A question that was not answered is asked again, the same leaves: one that was lost to a restart or a bad line is no failure, and a
 * holder that answers only what it likes gains nothing. One entry for each question, since one for each holder let cheats hide (Storj).
 */

const HOUR_MS = 60 * 60 * 1000;
const MAX_TRIES = 8;
const MAX_WAIT_MS = 48 * HOUR_MS;
/** Eight tries within two days. */
const TRY_EVERY_MS = MAX_WAIT_MS / MAX_TRIES;

/** Tries count only when the auditor itself was well: online, its clock right, the chain not reorganised since the seed. */
export interface PendingQuestion {
  /** When it was asked first, in milliseconds. */
  readonly since: number;
  /** When it was asked last. */
  readonly last: number;
  readonly tries: number;
}

/** What to do with a question that waits: ask again now, wait until a moment, or count it as silence. */
export type NextStep =
  | { readonly do: 'ask' }
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'silent' };

/** A try that was not answered. `before` is undefined for the first. */
export function unanswered(before: PendingQuestion | undefined, at: number): PendingQuestion {
  return before === undefined
    ? { since: at, last: at, tries: 1 }
    : { since: before.since, last: at, tries: before.tries + 1 };
}

/** An auditor that was away itself asks once more before it judges: silence takes a try after the time has passed. */
export function nextStep({ since, last, tries }: PendingQuestion, now: number): NextStep {
  if (tries >= MAX_TRIES && last - since >= MAX_WAIT_MS - TRY_EVERY_MS) return { do: 'silent' };
  return now - last >= TRY_EVERY_MS ? { do: 'ask' } : { do: 'wait', until: last + TRY_EVERY_MS };
}
