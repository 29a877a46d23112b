import { type Command, Option } from 'commander';
import { isNectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { KeptSchedule } from '../harden/schedule/schedule-file.ts';
import { requireHome } from '../home-folder.ts';
import { formatDuration } from '../render/quantities.ts';
import { parseEvery } from '../schedule/interval.ts';
import type { Scheduler } from '../schedule/scheduled-run.ts';
import type { Terminal } from '../terminal.ts';

interface ScheduleOptions {
  readonly every?: number | 'off';
  readonly profile?: string;
  readonly by?: Scheduler['name'];
}

const DEFAULT_PROFILE = 'node';
const SCHEDULERS: readonly Scheduler['name'][] = ['systemd', 'crontab', 'hand'];

export function registerHardenSchedule(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'schedule', {
    summary: 'make reports by themselves, and let the node raise the alarm when one is missing or a check drifts',
    about:
      'Uses systemd where it runs the machine (of root: for the machine; else for the user), else the crontab. A check that held and fails now, or no report within two intervals, shows in `status`, `doctor` and the metrics, and is in the audit log. Each run replaces HOME/hardening/latest.html.',
    examples: ['harden schedule --every 24h', 'harden schedule', 'harden schedule --every off'],
  })
    .addOption(
      new Option('--every <time>', '1h, 2h, 3h, 4h, 6h, 8h, 12h, 24h, 7d, or off (default: show)').argParser(
        parseEvery,
      ),
    )
    .addOption(new Option('--profile <name>', 'which checks (default: node)'))
    .addOption(new Option('--by <what>', 'what starts the runs (default: what is here)').choices(SCHEDULERS))
    .action(action(terminal, schedule));
}

async function schedule(call: Call<ScheduleOptions>): Promise<void> {
  const { home, options, output } = call;
  requireHome(home);
  const { findSchedule } = await import('../harden/schedule/schedule-file.ts');
  if (options.every === undefined) {
    const known = await findSchedule(home);
    output.result({ schedule: known ?? null }, () => (known === undefined ? 'nothing is scheduled' : describe(known)));
    return;
  }
  const { endSchedule, setSchedule } = await import('../harden/schedule/set-schedule.ts');
  // A damaged file is what setting and ending write anew.
  const known = await findSchedule(home).catch((error: unknown) => {
    if (isNectarError(error, 'HARDENING_SCHEDULE_DAMAGED')) return undefined;
    throw error;
  });
  const profile = options.profile ?? known?.profile ?? DEFAULT_PROFILE;
  if (options.every === 'off') {
    const { auditLeaf } = await endSchedule(call, profile);
    output.result({ schedule: null, auditLeaf }, `nothing is scheduled any more; leaf ${auditLeaf} of the audit log`);
    return;
  }
  const { getProfile, loadBenchmark } = await import('../../hardening/load-benchmark.ts');
  const { readPublicIdentity } = await import('../../appliance/config/identity.ts');
  getProfile(loadBenchmark(), profile);
  const { nodeId } = readPublicIdentity(home);
  const made = await setSchedule(call, { nodeId, profile, everySeconds: options.every, by: options.by });
  output.result(made, () => [describe(made.schedule), ...made.notes].join('\n'));
}

function describe({ profile, everySeconds, by }: KeptSchedule): string {
  return `a report of the profile ${profile} every ${formatDuration(everySeconds * 1000)}, started by ${by}`;
}
