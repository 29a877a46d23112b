import { define } from './definition.ts';

const MAX_NAMED = 8;

/** A report may name hundreds: the rest is in the error's data. */
function some(ids: readonly string[]): string {
  if (ids.length > MAX_NAMED) return `${ids.slice(0, MAX_NAMED).join(', ')} and ${ids.length - MAX_NAMED} more`;
  return ids.join(', ');
}

/** Errors of the hardening report. */
export const HARDENING_ERRORS = {
  HARDENING_CHECKS_INVALID: define<{ folder: string; problems: readonly string[] }>({
    message: ({ folder, problems }) => `the checks in ${folder} cannot be used: ${problems.join('; ')}`,
  }),
  HARDENING_PROFILE_UNKNOWN: define<{ profile: string; known: readonly string[] }>({
    message: ({ profile, known }) => `there is no profile ${profile}, only ${known.join(', ')}`,
  }),
  HARDENING_CHECK_UNKNOWN: define<{ id: string }>({
    message: ({ id }) => `there is no check ${id}`,
  }),
  HARDENING_FACTS_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} holds no valid facts: ${problems.join('; ')}`,
  }),
  HARDENING_REPORT_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is not a hardening report: ${problems.join('; ')}`,
  }),
  HARDENING_FAILED: define<{ failed: readonly string[]; threshold: string }>({
    message: ({ failed, threshold }) =>
      `${failed.length} ${failed.length === 1 ? 'check' : 'checks'} at or above ${threshold} failed: ${some(failed)}`,
  }),
  HARDENING_INCOMPLETE: define<{ unseen: readonly string[]; threshold: string }>({
    message: ({ unseen, threshold }) =>
      `${unseen.length} ${unseen.length === 1 ? 'check' : 'checks'} at or above ${threshold} could not be looked at: ${some(unseen)}`,
  }),
  HARDENING_REPORT_VIOLATED: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is not the report that was made: ${problems.join('; ')}`,
  }),
  HARDENING_REPORT_UNPROVEN: define<{ path: string; reasons: readonly string[] }>({
    message: ({ path, reasons }) =>
      `nothing here proves that ${path} is the report that was made: ${reasons.join('; ')}`,
  }),
  HARDENING_KEY_MISSING: define<{ path: string }>({
    message: ({ path }) => `there is no key that signs reports in ${path}`,
  }),
  HARDENING_KEY_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} holds no OpenPGP key that can be used: ${reason}`,
  }),
  HARDENING_KEY_LOCKED: define<{ path: string }>({
    message: ({ path }) => `the key in ${path} does not open without its passphrase`,
  }),
  HARDENING_WAIVER_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `this cannot be waived: ${problem}`,
  }),
  HARDENING_WAIVER_UNKNOWN: define<{ id: string }>({
    message: ({ id }) => `${id} is not waived`,
  }),
  HARDENING_WAIVER_NEEDLESS: define<{ id: string }>({
    message: ({ id }) => `no report on record says that ${id} fails`,
  }),
  HARDENING_SCHEDULE_DAMAGED: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `what is scheduled cannot be read from ${path}: ${reason}`,
  }),
  HARDENING_SCHEDULE_REFUSED: define<{ by: string; reason: string }>({
    message: ({ by, reason }) => `${by} did not take the schedule: ${reason}`,
  }),
};
