import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import { type Client, createClient } from './client.ts';
import { requireHome } from './home-folder.ts';
import { findLocalSocket } from './local-socket.ts';
import { gatewayUrl } from './provision/docker/gateway-url.ts';
import { hasTarget } from './provision/docker/target-path.ts';
import type { GatewayWay } from './provision/kubernetes/reach-gateway.ts';
import { readRunning } from './provision/process/running.ts';

/** Files of the home that the CLI reads are small. */
const MAX_TOKEN_BYTES = 16 * 1024;

export interface NodeClientOptions {
  readonly home: string;
  readonly signal: AbortSignal;
  /** Of the programs that lead into a cluster; that of this process unless named. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * A client of the running node in `home`, with the home's own CA and token.
 *
 * @throws NectarError CLI_HOME_MISSING, CLI_NODE_STOPPED, CLI_TOKEN_UNREADABLE
 */
export async function openNodeClient({ home, signal, env }: NodeClientOptions): Promise<Client> {
  requireHome(home);
  const gateway = await findGateway(home);
  if (gateway === undefined) throw new NectarError('CLI_NODE_STOPPED', { home });
  const ca = readSmall(join(home, 'tls', 'ca.crt'));
  const token = readSmall(join(home, 'client', 'token')).trim();
  const localSocket = (): string | undefined => findLocalSocket(home);
  if (gateway !== IN_CLUSTER) return createClient({ gateway, ca, token, signal, localSocket });
  const way = await openWay({ home, signal, ...(env !== undefined && { env }) });
  const client = createClient({ gateway: way.gateway, ca, token, signal });
  const close = (): Promise<void> => client.close().finally(() => way.close());
  return { ...client, close };
}

/** A node in a cluster whose gateway has no address that the home knows: each client opens a way of its own. */
const IN_CLUSTER = 'https://gateway.in.its.cluster';

async function openWay({ home, env = process.env, signal }: NodeClientOptions): Promise<GatewayWay> {
  const { requireClusterTarget } = await import('./provision/kubernetes/cluster-target.ts');
  const { reachGateway } = await import('./provision/kubernetes/reach-gateway.ts');
  return reachGateway(requireClusterTarget(home), { env, signal });
}

/** Of a process, what it said when it began to listen (undefined: none runs); of containers, what the engine publishes. */
export async function findGateway(home: string): Promise<string | undefined> {
  // What a home of containers needs is half of a command's start: it is loaded for such a home only.
  if (!hasTarget(home)) return readRunning(home)?.gateway;
  const { findClusterTarget } = await import('./provision/kubernetes/cluster-target.ts');
  const cluster = findClusterTarget(home);
  if (cluster !== undefined) return cluster.gateway ?? IN_CLUSTER;
  const { findTarget } = await import('./provision/docker/target-file.ts');
  if (findTarget(home) === undefined) return readRunning(home)?.gateway;
  const { loadConfig } = await import('../appliance/config/load.ts');
  return gatewayUrl(loadConfig({ home }).config.gateway);
}

/** Runs `work` with a client of the call's node and closes the client whatever happens. */
export async function withNode<O, T>(call: Call<O>, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await openNodeClient({ home: call.home, signal: call.terminal.signal, env: call.terminal.env });
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
