import { define, EXIT } from './definition.ts';

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
};
