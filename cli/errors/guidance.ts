import type { ExitCode } from '../../appliance/exit-code.ts';

/** What the command line makes of an error code. */
export interface Guidance {
  readonly exit: ExitCode;
  /** One sentence or two: what a person does about it. docs/reference/errors.md shows it, and so does every command. */
  readonly remedy: string;
}
