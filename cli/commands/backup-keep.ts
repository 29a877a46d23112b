import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { KnownRepository, Retention } from '../life/repository/known-repositories.ts';
import { parseWhole } from '../option-parsers.ts';
import { formatBytes, formatDuration } from '../render/quantities.ts';
import { parseEvery } from '../schedule/interval.ts';
import type { Scheduler } from '../schedule/scheduled-run.ts';
import type { Terminal } from '../terminal.ts';
import { chooseRepository, credentialsOf, credentialsOption } from './choose-repository.ts';
import { passphraseFileOption } from './unlock.ts';

const SCHEDULERS: readonly Scheduler['name'][] = ['systemd', 'crontab', 'hand'];

interface KeepOptions {
  readonly keepLast?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
}

interface ScheduleOptions extends KeepOptions {
  readonly every?: number | 'off';
  readonly by?: Scheduler['name'];
  readonly pruneCredentials?: string;
}

interface PruneOptions extends KeepOptions {
  readonly dryRun?: boolean;
  readonly passphraseFile?: string;
  readonly credentials?: string;
}

/** When snapshots are made, and how long they are kept. */
export function registerBackupKeep(verb: Command, terminal: Terminal): void {
  withKeepOptions(
    addVerb(verb, 'schedule [place]', {
      summary: 'make snapshots by themselves, and let the node raise the alarm when one is missing or does not restore',
      about:
        'Uses systemd where it runs the machine (of root: for the machine; else for the user), else the crontab. Each run brings what is new, prunes by the retention that is kept (--keep-...), and restores a part of what it made. No snapshot within two intervals, or one that does not restore, shows in `status`, `doctor` and the metrics. At another node pruning takes a token of its own: --prune-credentials names the file of `custody grant --prune` there. Whoever takes this machine over has that file too, and could remove old snapshots with it (never the newest); without it that node keeps every snapshot, and a run with a retention says BACKUP_PRUNE_DENIED.',
      examples: [
        'backup schedule --every 24h --keep-daily 7 --keep-weekly 4',
        'backup schedule node://safe.clinic:9443 --every 24h --keep-daily 7 --prune-credentials /etc/nectar/prune.access',
        'backup schedule',
        'backup schedule --every off',
      ],
    })
      .addOption(
        new Option('--every <time>', '1h, 2h, 3h, 4h, 6h, 8h, 12h, 24h, 7d, or off (default: show)').argParser(
          parseEvery,
        ),
      )
      .addOption(new Option('--prune-credentials <file>', 'of a node:// place: what `custody grant --prune` wrote'))
      .addOption(new Option('--by <what>', 'what starts the runs (default: what is here)').choices(SCHEDULERS)),
  ).action(action(terminal, schedule));
  withKeepOptions(
    addVerb(verb, 'prune [place]', {
      summary: 'let go of old snapshots, and of what only they need',
      about:
        'Keeps the newest --keep-last snapshots, and of the newest days, weeks and months that have one the last one each. The newest always stays. Without --keep-... the retention that was kept with the schedule counts. What goes is superseded parts of the log and ciphertext of destroyed records; records that are there stay in every snapshot. At another node it takes a file of `custody grant --prune`; without one that node keeps every snapshot.',
      examples: ['backup prune --keep-last 3 --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run'],
    })
      .addOption(new Option('--dry-run', 'say what would go, and let it stay'))
      .addOption(credentialsOption())
      .addOption(passphraseFileOption()),
  ).action(action(terminal, prune));
}

function withKeepOptions(verb: Command): Command {
  for (const [unit, what] of [
    ['last', 'newest snapshots'],
    ['daily', 'daily snapshots'],
    ['weekly', 'weekly snapshots'],
    ['monthly', 'monthly snapshots'],
  ])
    verb.addOption(new Option(`--keep-${unit} <n>`, `${what} to keep`).argParser(parseWhole));
  return verb;
}

function retentionOf({ keepLast, keepDaily, keepWeekly, keepMonthly }: KeepOptions): Retention | undefined {
  const given = [keepLast, keepDaily, keepWeekly, keepMonthly];
  if (given.every((count) => count === undefined)) return undefined;
  return { last: keepLast ?? 0, daily: keepDaily ?? 0, weekly: keepWeekly ?? 0, monthly: keepMonthly ?? 0 };
}

async function schedule(call: Call<ScheduleOptions>): Promise<void> {
  const { home, options, output } = call;
  const chosen = await chooseRepository(call);
  const keep = retentionOf(options);
  const pruneCredentials = credentialsOf(call.terminal, { credentials: options.pruneCredentials });
  if (pruneCredentials !== undefined) await requireNodeCredentials(chosen.target, pruneCredentials);
  const known = {
    ...chosen,
    ...(keep !== undefined && { keep }),
    ...(pruneCredentials !== undefined && { pruneCredentials }),
  };
  const { rememberRepository } = await import('../life/repository/known-repositories.ts');
  if (known.keep !== undefined && known.target.startsWith('node://') && known.pruneCredentials === undefined)
    output.note('That node keeps every snapshot until --prune-credentials names a file of `custody grant --prune`.');
  if (keep !== undefined || pruneCredentials !== undefined) await rememberRepository(home, known);
  if (options.every === undefined) {
    output.result({ target: known.target, schedule: known.schedule ?? null, keep: known.keep ?? null }, () =>
      describe(known),
    );
    return;
  }
  const { endBackupSchedule, setBackupSchedule } = await import('../life/repository/backup-schedule.ts');
  if (options.every === 'off') {
    const { auditLeaf } = await endBackupSchedule(call, known);
    output.result({ schedule: null, auditLeaf }, `nothing is scheduled any more; leaf ${auditLeaf} of the audit log`);
    return;
  }
  const made = await setBackupSchedule(call, { known, everySeconds: options.every, by: options.by });
  output.result(made, () => [describe(made.known), ...made.notes].join('\n'));
}

/** Read now: a scheduled run at night has nobody to ask. @throws NectarError CLI_USAGE, CLI_FILE_UNREADABLE */
async function requireNodeCredentials(target: string, path: string): Promise<void> {
  if (!target.startsWith('node://'))
    throw new NectarError('CLI_USAGE', { problem: '--prune-credentials is for a place node://HOST:PORT' });
  const { readNodeCredentials } = await import('../life/repository/node-credentials.ts');
  await readNodeCredentials(path);
}

function describe({ target, schedule: kept, keep }: KnownRepository): string {
  const runs =
    kept === undefined
      ? 'nothing is scheduled'
      : `a snapshot every ${formatDuration(kept.everySeconds * 1000)}, started by ${kept.by}`;
  const retention =
    keep === undefined
      ? 'every snapshot is kept'
      : `kept: ${keep.last} newest, ${keep.daily} daily, ${keep.weekly} weekly, ${keep.monthly} monthly`;
  return `${target}: ${runs}; ${retention}`;
}

async function prune(call: Call<PruneOptions>): Promise<void> {
  const { options, output, terminal } = call;
  const chosen = await chooseRepository(call);
  const given = credentialsOf(terminal, options);
  const known = given === undefined ? chosen : { ...chosen, pruneCredentials: given };
  const keep = retentionOf(options) ?? known.keep;
  const { pruneKnown } = await import('../life/repository/scheduled-backup.ts');
  const dryRun = options.dryRun === true;
  const done = await pruneKnown(call, { known, keep, dryRun, passphraseFile: options.passphraseFile });
  output.result({ target: known.target, dryRun, ...done }, () =>
    [
      `${dryRun ? 'would let go of' : 'let go of'} ${done.removed.length} snapshots, ${done.objects} objects, ${formatBytes(done.bytes)}`,
      `kept: ${done.kept.join(', ')}`,
    ].join('\n'),
  );
}
