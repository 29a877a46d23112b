import { ENTRY } from '../entry.ts';

/** What is to be run, and how often. */
export interface ScheduledRun {
  /** Of the unit and of the line in the crontab: one for each purpose and node of this machine. */
  readonly name: string;
  /** In words, for who lists the units. */
  readonly title: string;
  /** Of this program, without its name. */
  readonly args: readonly string[];
  /** Variables that it needs besides what a scheduler gives it; nothing secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the crontab's run leaves what it said. */
  readonly log: string;
  readonly everySeconds: number;
  /** True: exit code 3, checks failed, is a run that went well: the node raises the alarm for what it found. */
  readonly findingsAreFine: boolean;
}

/** The program and its arguments, without a shell. */
export function commandOf({ args }: Pick<ScheduledRun, 'args'>): string[] {
  return [process.execPath, ENTRY, ...args];
}

/** What a schedule is kept by. */
export interface Scheduler {
  readonly name: 'systemd' | 'crontab' | 'hand';
  /** Replaces an earlier one. Returns what the person should know or do besides. @throws NectarError HARDENING_SCHEDULE_REFUSED */
  install(run: ScheduledRun): Promise<readonly string[]>;
  /** Does nothing where there is none. */
  remove(run: Pick<ScheduledRun, 'name'>): Promise<void>;
}
