import { define, EXIT } from './definition.ts';

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
    remedy: 'Correct the files, or install the program again. No check was judged.',
    http: 500,
    exit: EXIT.config,
  }),
  HARDENING_PROFILE_UNKNOWN: define<{ profile: string; known: readonly string[] }>({
    message: ({ profile, known }) => `there is no profile ${profile}, only ${known.join(', ')}`,
    remedy: 'Name one of the profiles that `nectar-byon harden --help` lists.',
    http: 404,
    exit: EXIT.usage,
  }),
  HARDENING_CHECK_UNKNOWN: define<{ id: string }>({
    message: ({ id }) => `there is no check ${id}`,
    remedy: 'Take an id from the report, or from `nectar-byon harden --list`.',
    http: 404,
    exit: EXIT.usage,
  }),
  HARDENING_FACTS_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} holds no facts that can be judged: ${problems.join('; ')}`,
    remedy: 'Collect them again with `nectar-byon harden --save-facts FILE` of the same version. Nothing was judged.',
    http: 400,
    exit: EXIT.config,
  }),
  HARDENING_REPORT_INVALID: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is no hardening report: ${problems.join('; ')}`,
    remedy: 'Use the JSON that `nectar-byon harden --format json` wrote, unchanged.',
    http: 400,
    exit: EXIT.config,
  }),
  HARDENING_FAILED: define<{ failed: readonly string[]; threshold: string }>({
    message: ({ failed, threshold }) =>
      `${failed.length} ${failed.length === 1 ? 'check' : 'checks'} at or above ${threshold} failed: ${some(failed)}`,
    remedy: 'Do what the report says of each, or waive it with `nectar-byon harden waive ID`, with a name and an end.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  HARDENING_INCOMPLETE: define<{ unseen: readonly string[]; threshold: string }>({
    message: ({ unseen, threshold }) =>
      `${unseen.length} ${unseen.length === 1 ? 'check' : 'checks'} at or above ${threshold} could not be looked at: ${some(unseen)}`,
    remedy: 'The report says for each what could not be seen: start the node, or run with the privilege that is named.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  HARDENING_REPORT_VIOLATED: define<{ path: string; problems: readonly string[] }>({
    message: ({ path, problems }) => `${path} is not the report that was made: ${problems.join('; ')}`,
    remedy: 'Do not rely on this file. Ask for the original, and compare its digest with the audit log of the node.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  HARDENING_REPORT_UNPROVEN: define<{ path: string; reasons: readonly string[] }>({
    message: ({ path, reasons }) =>
      `nobody here can say whether ${path} is the report that was made: ${reasons.join('; ')}`,
    remedy:
      'Put its FILE.asc and FILE.proof.json beside it, and give --key and --vkey as the owner of the node states them.',
    http: 422,
    exit: EXIT.unreachable,
  }),
  HARDENING_KEY_MISSING: define<{ path: string }>({
    message: ({ path }) => `there is no key that signs reports in ${path}`,
    remedy: 'Make one with `nectar-byon harden keygen`.',
    http: 404,
    exit: EXIT.key,
  }),
  HARDENING_KEY_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} holds no OpenPGP key that can be used: ${reason}`,
    remedy: 'Name the exported public key (`nectar-byon harden key -o FILE`), or make a new one with `harden keygen`.',
    http: 400,
    exit: EXIT.key,
  }),
  HARDENING_KEY_LOCKED: define<{ path: string }>({
    message: ({ path }) => `the key in ${path} does not open without its passphrase`,
    remedy: 'Give the passphrase of the report key with `--passphrase-file FILE`.',
    http: 423,
    exit: EXIT.locked,
  }),
  HARDENING_WAIVER_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `this cannot be waived: ${problem}`,
    remedy: 'A waiver has an owner, a reason, and a last day within a year: `nectar-byon harden waive --help`.',
    http: 400,
    exit: EXIT.usage,
  }),
  HARDENING_WAIVER_UNKNOWN: define<{ id: string }>({
    message: ({ id }) => `${id} is not waived`,
    remedy: '`nectar-byon harden waive --list` shows the waivers.',
    http: 404,
    exit: EXIT.usage,
  }),
  HARDENING_WAIVERS_DAMAGED: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the waivers in ${path} cannot be read: ${reason}`,
    remedy: 'Move the file away and waive again; the audit log of the node says what had been waived, by whom and why.',
    http: 500,
    exit: EXIT.config,
  }),
  HARDENING_SCHEDULE_REFUSED: define<{ by: string; reason: string }>({
    message: ({ by, reason }) => `${by} did not take the schedule: ${reason}`,
    remedy: 'Choose another way with `--by`: systemd, crontab, or hand, which tells the line to add yourself.',
    http: 500,
    exit: EXIT.config,
  }),
};
