import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../../protocol/errors.ts';
import { forgetRunning, isAlive, readRunning } from './running.ts';

const POLL_MS = 50;
const DEFAULT_TIMEOUT_MS = 30_000;
const KILL_TIMEOUT_MS = 5_000;

export interface StopResult {
  readonly wasRunning: boolean;
  /** It did not end in time and was killed: nothing acknowledged is lost, the next start recovers. */
  readonly killed: boolean;
}

/** Stops the process of a home and waits for its end. Only a process that is provably the home's own gets a signal. */
export async function stopProcess(
  home: string,
  { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: { signal: AbortSignal; timeoutMs?: number },
): Promise<StopResult> {
  const running = readRunning(home);
  if (running === undefined) {
    forgetRunning(home);
    return { wasRunning: false, killed: false };
  }
  process.kill(running.pid, 'SIGTERM');
  if (await waitForEnd(home, running.pid, timeoutMs, signal)) {
    forgetRunning(home);
    return { wasRunning: true, killed: false };
  }
  process.kill(running.pid, 'SIGKILL');
  if (!(await waitForEnd(home, running.pid, KILL_TIMEOUT_MS, signal))) {
    throw new NectarError('CLI_NODE_STOP_FAILED', { pid: running.pid });
  }
  forgetRunning(home);
  return { wasRunning: true, killed: true };
}

async function waitForEnd(home: string, pid: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += POLL_MS) {
    if (!isAlive(pid) || (readRunning(home)?.pid ?? pid) !== pid) return true;
    await sleep(POLL_MS, undefined, { signal });
  }
  return false;
}
