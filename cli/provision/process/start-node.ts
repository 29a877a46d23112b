import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../../protocol/errors.ts';
import { ENTRY } from '../../entry.ts';
import { rotateLog } from './node-log.ts';
import { isAlive, type Running, readRunning } from './running.ts';
import { logSize, whyItEnded } from './start-failure.ts';

const POLL_MS = 50;
/** From its first instruction until the process listens: loading modules on a slow disk is most of it. */
const ALIVE_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;
/**
 * What the node inherits. A shell's environment may hold secrets of others, and would show in /proc/PID/environ for as long as
 * the node lives.
 */
const INHERITED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|XDG_.*|NECTAR_.*|CREDENTIALS_DIRECTORY|SOFTHSM2_CONF|TPM2TOOLS_TCTI|NODE_EXTRA_CA_CERTS|(HTTPS?|NO)_PROXY|(https?|no)_proxy)$/;

export interface StartRequest {
  readonly home: string;
  readonly role: 'all' | 'sequencer';
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Starts the process of a home in the background and waits until it listens. It outlives the terminal: own session, no stdin,
 * output to HOME/logs/node.log.
 *
 * @throws NectarError NODE_HOME_IN_USE, the error with which the process ended, CLI_NODE_START_FAILED, CLI_NODE_START_TIMEOUT
 */
export async function startProcess(request: StartRequest): Promise<Running> {
  const { home, role, env, signal } = request;
  if (readRunning(home) !== undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
  const log = join(home, 'logs', 'node.log');
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
  mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 });
  rotateLog(log);
  const from = logSize(log);
  const descriptor = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [ENTRY, 'run', role, '--home', home, '--json'], {
    cwd: home,
    detached: true,
    stdio: ['ignore', descriptor, descriptor],
    env: inheritedEnv(env),
  });
  closeSync(descriptor);
  child.unref();
  let spawnError: Error | undefined;
  child.on('error', (error) => {
    spawnError = error;
  });
  try {
    for (let waited = 0; waited < ALIVE_TIMEOUT_MS; waited += POLL_MS) {
      await sleep(POLL_MS, undefined, { signal });
      const running = readRunning(home);
      if (running !== undefined && running.pid === child.pid) return running;
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null || !isAlive(child.pid)) {
        throw (
          (await whyItEnded(home, log, from)) ??
          ended(spawnError?.message ?? `it ended (${child.signalCode ?? child.exitCode})`, log)
        );
      }
    }
  } catch (error) {
    // Ctrl-C while it starts: what we started does not stay behind, not even for a moment that a next start could meet.
    if (signal.aborted) await end(child);
    throw error;
  }
  await end(child);
  throw new NectarError('CLI_NODE_START_TIMEOUT', {
    seconds: ALIVE_TIMEOUT_MS / 1000,
    waitingFor: 'it does not listen',
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  child.kill('SIGTERM');
  for (let waited = 0; isAlive(child.pid); waited += POLL_MS) {
    if (waited === END_TIMEOUT_MS) child.kill('SIGKILL');
    await sleep(POLL_MS);
  }
}

function inheritedEnv(env: StartRequest['env']): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && INHERITED.test(name));
  // The log of a process that ends by a bug shall say where.
  return { NECTAR_DEBUG: '1', ...Object.fromEntries(kept) };
}

function ended(reason: string, log: string): NectarError {
  return new NectarError('CLI_NODE_START_FAILED', { reason, log });
}
