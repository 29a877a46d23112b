import { readPublicIdentity } from '../../../appliance/config/identity.ts';
import { OnRecord } from '../../../appliance/gateway/hardening-schemas.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import type { Call } from '../../call.ts';
import { withNode } from '../../node-client.ts';
import { toolEnvironment } from '../../provision/kubernetes/tool-environment.ts';
import type { Scheduler } from '../../schedule/scheduled-run.ts';
import { chooseScheduler, schedulersHere } from '../../schedule/scheduler.ts';
import type { Terminal } from '../../terminal.ts';
import { hardenRun, hardenRunName } from './harden-run.ts';
import { findSchedule, forgetSchedule, type KeptSchedule, keepSchedule } from './schedule-file.ts';

export interface ScheduleRequest {
  readonly nodeId: string;
  readonly profile: string;
  readonly everySeconds: number;
  readonly by: Scheduler['name'] | undefined;
}

export interface SetSchedule {
  readonly schedule: KeptSchedule;
  readonly notes: readonly string[];
  readonly auditLeaf: number;
}

/** Schedules runs, and tells the node, which raises the alarm when they do not come. One that it cannot be told of is taken back. */
export async function setSchedule(call: Call<unknown>, request: ScheduleRequest): Promise<SetSchedule> {
  const { home, terminal } = call;
  const { nodeId, profile, everySeconds } = request;
  await removeSchedule(home, terminal);
  const scheduler = chooseScheduler(terminal, request.by);
  const run = hardenRun({
    ...{ home, nodeId, profile, everySeconds },
    environment: toolEnvironment(home, terminal.env),
  });
  const notes = await scheduler.install(run);
  try {
    const auditLeaf = await tellNode(call, { profile, everySeconds });
    const since = new Date(terminal.now()).toISOString();
    const schedule: KeptSchedule = { version: 1, nodeId, profile, everySeconds, by: scheduler.name, since };
    await keepSchedule(home, schedule);
    return { schedule, notes, auditLeaf };
  } catch (error) {
    await scheduler.remove(run).catch(() => undefined);
    throw error;
  }
}

/** Ends it here and at the node. */
export async function endSchedule(call: Call<unknown>, profile: string): Promise<{ readonly auditLeaf: number }> {
  const auditLeaf = await tellNode(call, { profile, everySeconds: null });
  await removeSchedule(call.home, call.terminal);
  return { auditLeaf };
}

/**
 * Takes the schedule of a home away from whatever keeps it; for a node that goes, nobody is told. A file that is damaged does not say
 * what keeps it: then it is taken from all that this machine has, by its name.
 */
export async function removeSchedule(home: string, terminal: Terminal): Promise<void> {
  const kept = await readKept(home, terminal);
  if (kept === undefined) return;
  for (const by of kept.by) await chooseScheduler(terminal, by).remove({ name: hardenRunName(kept.nodeId) });
  await forgetSchedule(home);
}

async function readKept(
  home: string,
  terminal: Terminal,
): Promise<{ readonly nodeId: string; readonly by: readonly Scheduler['name'][] } | undefined> {
  try {
    const kept = await findSchedule(home);
    return kept === undefined ? undefined : { nodeId: kept.nodeId, by: [kept.by] };
  } catch (error) {
    if (!isNectarError(error, 'HARDENING_SCHEDULE_DAMAGED')) throw error;
    return { nodeId: readPublicIdentity(home).nodeId, by: schedulersHere(terminal) };
  }
}

async function tellNode(call: Call<unknown>, note: { profile: string; everySeconds: number | null }): Promise<number> {
  return withNode(call, async (client) => {
    const { auditLeaf } = await client.json(OnRecord, 'PUT', '/v1/hardening/schedule', note);
    return auditLeaf;
  });
}
