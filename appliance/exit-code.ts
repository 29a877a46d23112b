/** Process exit codes (house-style 14): of the command line and of the program of each role. */
export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  checksFailed: 3,
  config: 10,
  locked: 11,
  key: 12,
  unreachable: 13,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
