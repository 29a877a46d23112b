import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import { openNodeClient } from '../../node-client.ts';
import { readPassphrase } from '../../passphrase.ts';
import type { Output } from '../../render/output.ts';
import { showWork } from '../../render/work.ts';
import { isInteractive, type Terminal } from '../../terminal.ts';
import { requireHomePorts } from './home-ports.ts';
import { rotateLog } from './node-log.ts';
import { isAlive, type Running, readRunning } from './running.ts';
import { logSize, whyItEnded } from './start-failure.ts';
import { startProcess } from './start-node.ts';
import { sendPassphrase } from './unlock.ts';
import { isLocked, readReadiness, sayWaiting, throwFault, waitUntilReady } from './wait-ready.ts';

const END_TIMEOUT_MS = 2_000;
const END_POLL_MS = 50;
/** A person mistypes. */
const TYPED_ATTEMPTS = 3;

export interface BringUp {
  readonly home: string;
  readonly terminal: Terminal;
  readonly output: Output;
  readonly timeoutMs: number;
  readonly passphraseFile?: string | undefined;
  /** The one just chosen, at init; wiped once sent. */
  readonly passphrase?: Uint8Array | undefined;
}

export interface NodeUp {
  readonly running: Running;
  readonly gateway: string;
  readonly ready: boolean;
}

/**
 * Starts a node and waits until it is usable. A node that is locked is opened with the passphrase at hand or asked for; where
 * there is none it stays up and locked, which is not an error: somebody unlocks it later.
 */
export async function bringUp(request: BringUp): Promise<NodeUp> {
  const { home, terminal, output } = request;
  const { signal } = terminal;
  const log = join(home, 'logs', 'node.log');
  rotateLog(log);
  if (readRunning(home) === undefined) await requireOwnPorts(home, terminal.env);
  const logged = logSize(log);
  const running = await showWork(terminal, output, 'starting the node', () =>
    startProcess({ home, role: 'all', env: terminal.env, signal }),
  );
  const client = await openNodeClient({ home, signal });
  try {
    const wait = () =>
      showWork(terminal, output, 'waiting until it is ready', (say) =>
        waitUntilReady(client, { timeoutMs: request.timeoutMs, signal, say: sayWaiting(say) }),
      );
    // With a passphrase it stops at the lock, which shows at once; with a key file it opens by itself.
    const first = await readReadiness(client);
    throwFault(first);
    if (isLocked(first) && !(await unlockNode(client, request))) {
      return { running, gateway: client.gateway, ready: false };
    }
    const { ready } = await wait();
    return { running, gateway: client.gateway, ready };
  } catch (error) {
    // It may have ended in its second phase: then its own words are the reason, not that it does not answer.
    if (!signal.aborted && (await hasEnded(running.pid))) throw (await whyItEnded(home, log, logged)) ?? error;
    if (isNectarError(error, 'NODE_DISK_FULL'))
      output.note(
        'the node is up and takes new records as soon as there is room; `nectar-byon status` shows what it serves',
      );
    throw error;
  } finally {
    await client.close();
  }
}

/** Who has a port may be the node itself, which another command has just started. */
async function requireOwnPorts(home: string, env: Terminal['env']): Promise<void> {
  try {
    await requireHomePorts(home, env);
  } catch (error) {
    throw readRunning(home) === undefined ? error : new NectarError('NODE_HOME_IN_USE', { home });
  }
}

/** A process that is ending still is there when its listener is gone already. */
async function hasEnded(pid: number): Promise<boolean> {
  for (let waited = 0; waited < END_TIMEOUT_MS && isAlive(pid); waited += END_POLL_MS) await sleep(END_POLL_MS);
  return !isAlive(pid);
}

/** Opens the node with the secret at hand, or asks for it; false: there is none, and it stays locked. */
export async function unlockNode(client: Client, request: BringUp): Promise<boolean> {
  const { terminal, passphrase, passphraseFile, output } = request;
  const given = passphrase !== undefined || passphraseFile !== undefined;
  if (!given && (output.json || !isInteractive(terminal))) return false;
  for (let attempt = 1; ; attempt += 1) {
    const secret = passphrase ?? (await readPassphrase(terminal, passphraseFile));
    try {
      await showWork(terminal, output, 'unlocking', () => sendPassphrase(client, secret));
      return true;
    } catch (error) {
      if (given || attempt === TYPED_ATTEMPTS || !isNectarError(error, 'KEY_PASSPHRASE_WRONG')) throw error;
    }
  }
}
