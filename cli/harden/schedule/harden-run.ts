import type { ScheduledRun } from '../../schedule/scheduled-run.ts';
import { hardeningPath } from '../folder.ts';

export interface HardenRun {
  readonly home: string;
  readonly nodeId: string;
  readonly profile: string;
  readonly everySeconds: number;
  readonly environment: ScheduledRun['environment'];
}

export function hardenRunName(nodeId: string): string {
  return `nectar-byon-harden-${nodeId.slice(0, 8)}`;
}

/** A report by schedule: it replaces the last page. */
export function hardenRun({ home, nodeId, profile, everySeconds, environment }: HardenRun): ScheduledRun {
  const page = hardeningPath(home, 'latest.html');
  return {
    name: hardenRunName(nodeId),
    title: `Hardening report of the Nectar node ${nodeId.slice(0, 8)}`,
    args: ['harden', '--home', home, '--profile', profile, '-o', page, '--force'],
    log: hardeningPath(home, 'last-run.log'),
    everySeconds,
    environment,
    // Checks that failed are on record at the node, which raises the alarm: the run itself went well.
    findingsAreFine: true,
  };
}
