import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { Recorded } from '../../../appliance/gateway/schema-parts.ts';
import type { Call } from '../../call.ts';
import { withNode } from '../../node-client.ts';
import { toolEnvironment } from '../../provision/kubernetes/tool-environment.ts';
import type { ScheduledRun, Scheduler } from '../../schedule/scheduled-run.ts';
import { chooseScheduler } from '../../schedule/scheduler.ts';
import type { Terminal } from '../../terminal.ts';
import { type KnownRepository, knownRepositories, rememberRepository } from './known-repositories.ts';

/** One for each node and repository of this machine. */
function backupRunName(nodeId: string, target: string): string {
  const place = createHash('sha256').update(target).digest('hex').slice(0, 8);
  return `nectar-byon-backup-${nodeId.slice(0, 8)}-${place}`;
}

/** A snapshot by schedule: it prunes by the retention that is kept, and restores a part of what it made. */
function backupRun(
  home: string,
  known: KnownRepository,
  { everySeconds, environment }: Pick<ScheduledRun, 'everySeconds' | 'environment'>,
): ScheduledRun {
  const { nodeId } = readPublicIdentity(home);
  const { target, credentials } = known;
  return {
    name: backupRunName(nodeId, target),
    title: `Backup of the Nectar node ${nodeId.slice(0, 8)}`,
    args: [
      ...['backup', '--home', home, '--to', target, '--scheduled'],
      ...(credentials === undefined ? [] : ['--credentials', credentials]),
    ],
    log: join(home, 'backup', 'last-run.log'),
    everySeconds,
    environment,
    findingsAreFine: false,
  };
}

export interface SetBackupSchedule {
  readonly known: KnownRepository;
  readonly everySeconds: number;
  readonly by: Scheduler['name'] | undefined;
}

export interface ScheduledBackup {
  readonly known: KnownRepository;
  readonly notes: readonly string[];
  readonly auditLeaf: number;
}

/** Schedules runs, and tells the node, which raises the alarm when they do not come. One that it cannot be told of is taken back. */
export async function setBackupSchedule(call: Call<unknown>, request: SetBackupSchedule): Promise<ScheduledBackup> {
  const { home, terminal } = call;
  const { everySeconds } = request;
  const known = await withoutSchedule(home, terminal, request.known);
  const scheduler = chooseScheduler(terminal, request.by);
  const run = backupRun(home, known, { everySeconds, environment: toolEnvironment(home, terminal.env) });
  const notes = await scheduler.install(run);
  try {
    const auditLeaf = await tellNode(call, known.repository, everySeconds);
    const since = new Date(terminal.now()).toISOString();
    const scheduled = { ...known, schedule: { everySeconds, by: scheduler.name, since } };
    await rememberRepository(home, scheduled);
    return { known: scheduled, notes, auditLeaf };
  } catch (error) {
    await scheduler.remove(run).catch(() => undefined);
    throw error;
  }
}

/** Ends it here and at the node. */
export async function endBackupSchedule(call: Call<unknown>, known: KnownRepository): Promise<{ auditLeaf: number }> {
  const auditLeaf = await tellNode(call, known.repository, null);
  await withoutSchedule(call.home, call.terminal, known);
  return { auditLeaf };
}

/** Takes every schedule of a home away from whatever keeps it; for a node that goes, nobody is told. */
export async function removeBackupSchedules(home: string, terminal: Terminal): Promise<void> {
  for (const known of await knownRepositories(home)) await withoutSchedule(home, terminal, known);
}

async function withoutSchedule(home: string, terminal: Terminal, known: KnownRepository): Promise<KnownRepository> {
  const { schedule, ...rest } = known;
  if (schedule === undefined) return known;
  const { nodeId } = readPublicIdentity(home);
  await chooseScheduler(terminal, schedule.by).remove({ name: backupRunName(nodeId, known.target) });
  await rememberRepository(home, rest);
  return rest;
}

async function tellNode(call: Call<unknown>, repository: string, everySeconds: number | null): Promise<number> {
  return withNode(call, async (client) => {
    const note = { repository, everySeconds };
    return (await client.json(Recorded, 'PUT', '/v1/backups/schedule', note)).auditLeaf;
  });
}
