import { ENTRY } from '../../entry.ts';
import { hardeningPath } from '../folder.ts';

/** What is to be run, and how often. */
export interface ScheduledRun {
  readonly home: string;
  readonly nodeId: string;
  readonly profile: string;
  readonly everySeconds: number;
}

/** Of the unit and of the line in the crontab: one schedule for each node of this machine. */
export function scheduleName({ nodeId }: Pick<ScheduledRun, 'nodeId'>): string {
  return `nectar-byon-harden-${nodeId.slice(0, 8)}`;
}

/** The program and its arguments, without a shell. */
export function commandOf({ home, profile }: ScheduledRun): string[] {
  const page = hardeningPath(home, 'latest.html');
  return [process.execPath, ENTRY, 'harden', '--home', home, '--profile', profile, '-o', page, '--force'];
}

/** What a schedule is kept by. */
export interface Scheduler {
  readonly name: 'systemd' | 'crontab' | 'hand';
  /** Replaces an earlier one. Returns what the person should know or do besides. @throws NectarError HARDENING_SCHEDULE_REFUSED */
  install(run: ScheduledRun): Promise<readonly string[]>;
  /** Does nothing where there is none. */
  remove(run: Pick<ScheduledRun, 'nodeId'>): Promise<void>;
}
