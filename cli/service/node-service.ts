import { existsSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Check } from '../preflight.ts';
import { readRunning } from '../provision/process/running.ts';
import { formatDuration } from '../render/quantities.ts';
import { findScheduler, isProgram } from '../schedule/scheduler.ts';
import type { Terminal } from '../terminal.ts';
import { MACHINE_FOLDERS, type MachineFolders } from './machine-folders.ts';
import { createOpenrcStarter } from './openrc.ts';
import type { NodeService } from './service-unit.ts';
import { createCrontabStarter, createSystemdStarter, type Starter } from './starters.ts';

/** A process that began this soon after the machine was started with it. */
const WITH_THE_BOOT_MS = 10 * 60_000;

export function describeService(home: string): NodeService {
  const { nodeId } = readPublicIdentity(home);
  const system = process.getuid?.() === 0;
  const keys = join(home, 'keys.json');
  if (!existsSync(keys)) throw new NectarError('KEY_STORE_MISSING', { path: keys });
  const devices = /"(tpm2|pkcs11)"/.test(readFileSync(keys, 'utf8'));
  return { home, nodeId, system, user: ownerOf(home), devices };
}

/** The name of the home's owner, or his number where /etc/passwd has no name: systemd takes both. */
function ownerOf(home: string): string {
  const { uid } = statSync(home);
  const own = userInfo();
  return own.uid === uid ? own.username : (findUserName(uid, '/etc/passwd') ?? String(uid));
}

/** passwd(5) */
export function findUserName(uid: number, file: string): string | undefined {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.map((line) => line.split(':')).find(([, , number]) => number === String(uid))?.[0];
}

/** The starter that is named, else the one that this machine has; undefined where it has neither. */
export function chooseStarter(
  service: NodeService,
  terminal: Terminal,
  asked: Starter['name'] | undefined,
): Starter | undefined {
  const name = asked ?? (service.system && isOpenrc(terminal) ? 'openrc' : findScheduler(terminal));
  if (name === 'systemd') return createSystemdStarter(service, terminal);
  if (name === 'openrc') return createOpenrcStarter(service, terminal);
  return name === 'crontab' ? createCrontabStarter(service, terminal) : undefined;
}

/** The folder is there when OpenRC started this machine. */
function isOpenrc({ env }: Pick<Terminal, 'env'>): boolean {
  return existsSync('/run/openrc') && isProgram('rc-update', env);
}

/**
 * What starts the node of a home after a reboot; undefined: nothing that this program installed. A unit of the machine shows to everybody;
 * a unit or table of another user does not.
 */
export async function findStarter(
  service: NodeService,
  terminal: Terminal,
  machine: MachineFolders = MACHINE_FOLDERS,
): Promise<Starter | undefined> {
  const starters = [
    createSystemdStarter({ ...service, system: true }, terminal, machine.units),
    createOpenrcStarter(service, terminal, machine.scripts),
    ...(service.system ? [] : [createSystemdStarter(service, terminal)]),
    createCrontabStarter(service, terminal),
  ];
  for (const starter of starters) if (await starter.isInstalled()) return starter;
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
    if (starter.name === 'systemd' && !starter.ofTheMachine && !isLingering()) {
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
