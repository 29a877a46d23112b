import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DISK_REFUSALS = new Set(['EROFS', 'EPERM', 'EACCES', 'EIO']);

/** HOME/run/node.json: what the running process of a home says about itself. */
export interface Running {
  readonly pid: number;
  /** The process's start time in clock ticks since boot (Linux), so that a reused pid is not taken for ours. */
  readonly startTicks?: string;
  readonly gateway?: string;
  readonly startedAt: string;
}

export function runningPath(home: string): string {
  return join(home, 'run', 'node.json');
}

/** The process that runs this home now; undefined when none does, whatever a crash left in the file. */
export function readRunning(home: string): Running | undefined {
  let value: Partial<Running>;
  try {
    value = JSON.parse(readFileSync(runningPath(home), 'utf8')) as Partial<Running>;
  } catch {
    return undefined;
  }
  const { pid, startTicks, gateway, startedAt } = value ?? {};
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return undefined;
  if (startTicks !== undefined && startTicksOf(pid) !== startTicks) return undefined;
  return {
    pid,
    startedAt: String(startedAt ?? ''),
    ...(startTicks !== undefined && { startTicks }),
    ...(typeof gateway === 'string' && { gateway }),
  };
}

/** Says that this very process runs the home. Written once it listens, so that who reads it can connect. */
export function writeRunning(home: string, gateway: string | undefined): void {
  const startTicks = startTicksOf(process.pid);
  const running: Running = {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    ...(startTicks !== undefined && { startTicks }),
    ...(gateway !== undefined && { gateway }),
  };
  const path = runningPath(home);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(running)}\n`, { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
}

/** A disk that refuses it keeps a file that names a process which has ended: `readRunning` does not believe it. */
export function forgetRunning(home: string): void {
  try {
    rmSync(runningPath(home), { force: true });
  } catch (error) {
    if (!DISK_REFUSALS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return stateOf(pid) !== 'Z';
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined where there is no /proc. */
export function startTicksOf(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

function stateOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

/** The fields after the command name, which is in parentheses and may itself hold spaces and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
