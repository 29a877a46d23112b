import { existsSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Check } from '../preflight.ts';
import { readRunning } from '../provision/process/running.ts';
import { formatDuration } from '../render/quantities.ts';
import { findScheduler } from '../schedule/scheduler.ts';
import type { Terminal } from '../terminal.ts';
import type { NodeService } from './service-unit.ts';
import { createCrontabStarter, createSystemdStarter, type Starter } from './starters.ts';

/** A process that began this soon after the machine was started with it. */
const WITH_THE_BOOT_MS = 10 * 60_000;

export function describeService(home: string): NodeService {
  const { nodeId } = readPublicIdentity(home);
  const system = process.getuid?.() === 0;
  const devices = /"(tpm2|pkcs11)"/.test(readFileSync(join(home, 'keys.json'), 'utf8'));
  return { home, nodeId, system, user: ownerOf(home), devices };
}

/** A unit takes a name, or the number of who has none. */
function ownerOf(home: string): string {
  const { uid } = statSync(home);
  const own = userInfo();
  return own.uid === uid ? own.username : String(uid);
}

/** The starter that is named, else the one that this machine has; undefined where it has neither. */
export function chooseStarter(
  service: NodeService,
  terminal: Terminal,
  asked: Starter['name'] | undefined,
): Starter | undefined {
  const name = asked ?? findScheduler(terminal);
  if (name === 'systemd') return createSystemdStarter(service, terminal);
  return name === 'crontab' ? createCrontabStarter(service, terminal) : undefined;
}

/** What starts the node of a home after a reboot; undefined: nothing that this program installed. */
export async function findStarter(service: NodeService, terminal: Terminal): Promise<Starter | undefined> {
  for (const starter of [createSystemdStarter(service, terminal), createCrontabStarter(service, terminal)])
    if (await starter.isInstalled()) return starter;
  return undefined;
}

/** Takes it away from whatever starts the node; of a home in containers, or a damaged one, there is nothing to take. */
export async function removeService(home: string, terminal: Terminal): Promise<void> {
  if (!existsSync(join(home, 'keys.json'))) return;
  await (await findStarter(describeService(home), terminal))?.remove();
}

/** Whether a reboot will bring the node back, and whether the last one did. */
export async function checkReboot(home: string, terminal: Terminal): Promise<Check> {
  const name = 'after a reboot';
  try {
    const service = describeService(home);
    const starter = await findStarter(service, terminal);
    if (starter === undefined)
      return { name, value: 'nothing starts it', grade: 'poor', advice: 'nectar-byon service install' };
    if (starter.name === 'systemd' && !service.system && !isLingering()) {
      const value = 'systemd starts it once you log in';
      return { name, value, grade: 'poor', advice: 'loginctl enable-linger' };
    }
    const survived = sinceBoot(home);
    return { name, value: `${starter.name} starts it${survived === undefined ? '' : `; ${survived}`}`, grade: 'good' };
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return { name, value: error.message, grade: 'poor', advice: 'nectar-byon service show' };
  }
}

/** systemd runs the units of a user whom this file names without a login (loginctl(1)). */
function isLingering(): boolean {
  return existsSync(join('/var/lib/systemd/linger', userInfo().username));
}

function sinceBoot(home: string): string | undefined {
  const boot = bootTime();
  const began = Date.parse(readRunning(home)?.startedAt ?? '');
  if (boot === undefined || Number.isNaN(began)) return undefined;
  const after = began - boot;
  return after >= 0 && after < WITH_THE_BOOT_MS ? `it came ${formatDuration(after)} after the last boot` : undefined;
}

/** Milliseconds since 1970, from proc(5). */
function bootTime(): number | undefined {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  } catch {
    return undefined;
  }
}
