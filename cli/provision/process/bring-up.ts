import type { Client } from '../../client.ts';
import { openNodeClient } from '../../node-client.ts';
import { readPassphrase } from '../../passphrase.ts';
import type { Output } from '../../render/output.ts';
import { showWork } from '../../render/work.ts';
import { isInteractive, type Terminal } from '../../terminal.ts';
import type { Running } from './running.ts';
import { startProcess } from './start-node.ts';
import { sendPassphrase } from './unlock.ts';
import { isLocked, waitUntilReady } from './wait-ready.ts';

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
  const running = await showWork(terminal, output, 'starting the node', () =>
    startProcess({ home, role: 'all', env: terminal.env, signal }),
  );
  const client = openNodeClient({ home, signal });
  try {
    const wait = () =>
      showWork(terminal, output, 'waiting until it is ready', (say) =>
        waitUntilReady(client, { timeoutMs: request.timeoutMs, signal, say: (text) => say(`waiting for ${text}`) }),
      );
    let readiness = await wait();
    if (isLocked(readiness) && (await unlocked(client, request))) readiness = await wait();
    return { running, gateway: client.gateway, ready: readiness.ready };
  } finally {
    await client.close();
  }
}

async function unlocked(client: Client, request: BringUp): Promise<boolean> {
  const { terminal, passphrase, passphraseFile, output } = request;
  const given = passphrase !== undefined || passphraseFile !== undefined;
  if (!given && (output.json || !isInteractive(terminal))) return false;
  await sendPassphrase(client, passphrase ?? (await readPassphrase(terminal, passphraseFile)));
  return true;
}
