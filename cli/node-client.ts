import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import { type Client, createClient } from './client.ts';
import { requireHome } from './home-folder.ts';
import { gatewayUrl } from './provision/docker/gateway-url.ts';
import { hasTarget } from './provision/docker/target-path.ts';
import { readRunning } from './provision/process/running.ts';

/** Files of the home that the CLI reads are small. */
const MAX_TOKEN_BYTES = 16 * 1024;

export interface NodeClientOptions {
  readonly home: string;
  readonly signal: AbortSignal;
}

/**
 * A client of the running node in `home`, with the home's own CA and token.
 *
 * @throws NectarError CLI_HOME_MISSING, CLI_NODE_STOPPED, CLI_TOKEN_UNREADABLE
 */
export async function openNodeClient({ home, signal }: NodeClientOptions): Promise<Client> {
  requireHome(home);
  const gateway = await findGateway(home);
  if (gateway === undefined) throw new NectarError('CLI_NODE_STOPPED', { home });
  const ca = readSmall(join(home, 'tls', 'ca.crt'));
  const token = readSmall(join(home, 'client', 'token')).trim();
  return createClient({ gateway, ca, token, signal });
}

/** Of a process, what it said when it began to listen (undefined: none runs); of containers, what the engine publishes. */
export async function findGateway(home: string): Promise<string | undefined> {
  // What a home of containers needs is half of a command's start: it is loaded for such a home only.
  if (!hasTarget(home)) return readRunning(home)?.gateway;
  const { findTarget } = await import('./provision/docker/target-file.ts');
  if (findTarget(home) === undefined) return readRunning(home)?.gateway;
  const { loadConfig } = await import('../appliance/config/load.ts');
  return gatewayUrl(loadConfig({ home }).config.gateway);
}

/** Runs `work` with a client of the call's node and closes the client whatever happens. */
export async function withNode<O, T>(call: Call<O>, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await openNodeClient({ home: call.home, signal: call.terminal.signal });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function readSmall(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_TOKEN_BYTES) throw new Error(`larger than ${MAX_TOKEN_BYTES} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_TOKEN_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
}
