import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, isIPv4, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDescriptor } from '../../../appliance/config/index.ts';
import { ENTRY } from '../../entry.ts';
import { writeWhole } from './devnet-home.ts';
import { forgetRunning, readRunning, writeRunning } from './running.ts';
import { stopProcess } from './stop-node.ts';

/**
 * The devnet listens on 127.0.0.1 alone, which a container cannot reach. The relay is one more process of the devnet that listens
 * on the host's address of a container network as well, and passes each connection on to the same port of 127.0.0.1.
 *
 *   DEVNET/relay/addresses.json    where it listens: one address per node in containers
 */
const LOOK_MS = 500;
const START_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const LOOPBACK = '127.0.0.1';

function relayHome(devnet: string): string {
  return join(devnet, 'relay');
}

/** Addresses at which containers find the devnet; none until a node in containers asked for one. */
export function relayAddresses(devnet: string): string[] {
  try {
    const { addresses } = JSON.parse(readFileSync(join(relayHome(devnet), 'addresses.json'), 'utf8')) as {
      addresses?: unknown;
    };
    return Array.isArray(addresses)
      ? addresses.filter((address) => typeof address === 'string' && isIPv4(address))
      : [];
  } catch {
    return [];
  }
}

/** Has the relay listen on one more address, from now on at every `devnet up`. */
export async function exposeDevnet(devnet: string, address: string, signal: AbortSignal): Promise<void> {
  const addresses = [...new Set([...relayAddresses(devnet), address])];
  await writeWhole(relayHome(devnet), 'addresses.json', `${JSON.stringify({ addresses })}\n`);
  await startRelay(devnet, signal);
}

/** Starts the relay where an address asks for it and it does not run. */
export async function startRelay(devnet: string, signal: AbortSignal): Promise<void> {
  const home = relayHome(devnet);
  if (relayAddresses(devnet).length === 0 || readRunning(home) !== undefined) return;
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
  const log = openSync(join(home, 'logs', 'relay.log'), 'a', 0o600);
  const child = spawn(process.execPath, [ENTRY, 'devnet', 'relay', '--devnet', devnet], {
    cwd: home,
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  closeSync(log);
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += LOOK_MS / 10) {
    if (readRunning(home) !== undefined) return;
    await sleep(LOOK_MS / 10, undefined, { signal });
  }
}

export async function stopRelay(devnet: string, signal: AbortSignal): Promise<void> {
  if (readRunning(relayHome(devnet)) !== undefined) await stopProcess(relayHome(devnet), { signal });
}

/** The relay itself, in the foreground until the signal. Addresses that are not there yet are tried again. */
export async function runRelay(devnet: string, signal: AbortSignal): Promise<void> {
  const listeners = new Map<string, Server>();
  writeRunning(relayHome(devnet), undefined);
  try {
    while (!signal.aborted) {
      const wanted = relayAddresses(devnet).flatMap((address) => portsOf(devnet).map((port) => ({ address, port })));
      for (const { address, port } of wanted) {
        const key = `${address}:${port}`;
        if (!listeners.has(key))
          listeners.set(
            key,
            listen(address, port, () => listeners.delete(key)),
          );
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    for (const server of listeners.values()) server.close();
    forgetRunning(relayHome(devnet));
  }
}

/** L1, the sequencer's RPC and its p2p port, as the descriptor names them. */
function portsOf(devnet: string): number[] {
  const { endpoints, bootstrap } = readDescriptor(devnet).descriptor;
  const urls = [...endpoints.l1Rpc, ...endpoints.sequencerRpc].map((url) => Number(new URL(url).port));
  const peers = bootstrap.map((address) => Number(/\/tcp\/(\d+)/.exec(address)?.[1]));
  return [...new Set([...urls, ...peers])].filter((port) => port > 0);
}

function listen(address: string, port: number, gone: () => void): Server {
  const server = createServer({ allowHalfOpen: true }, (inbound) => {
    const outbound = connect({ host: LOOPBACK, port, allowHalfOpen: true });
    inbound.on('error', () => outbound.destroy());
    outbound.on('error', () => inbound.destroy());
    inbound.on('close', () => outbound.destroy());
    outbound.on('close', () => inbound.destroy());
    inbound.pipe(outbound).pipe(inbound);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('error', gone);
  server.listen({ host: address, port });
  return server;
}
