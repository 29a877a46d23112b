import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, isIPv4, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDescriptor } from '../../../appliance/config/index.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { ENTRY } from '../../entry.ts';
import type { Say } from '../../render/work.ts';
import { waitUntil } from '../../wait-until.ts';
import { writeWhole } from '../write-whole.ts';
import { callRpc } from './rpc.ts';
import { forgetRunning, readRunning, writeRunning } from './running.ts';
import { stopProcess } from './stop-node.ts';

/**
 * The devnet listens on 127.0.0.1 alone, which a container cannot reach. The relay is one more process of the devnet that listens
 * on the host's address of a container network as well, and passes each connection on to the same port of 127.0.0.1.
 *
 *   DEVNET/relay/addresses.json    where it listens: one address per node in containers
 */
const LOOK_MS = 500;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 256;
const LOOPBACK = '127.0.0.1';

function relayHome(devnet: string): string {
  return join(devnet, 'relay');
}

/** Addresses at which containers find the devnet; none until a node in containers asked for one. */
function relayAddresses(devnet: string): string[] {
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
  await startRelay(devnet, { signal, say: () => undefined });
}

/**
 * Starts the relay where an address asks for it and it does not run, or runs and passes nothing on. L1 answers by then.
 *
 * @throws NectarError CLI_DEVNET_FAILED
 */
export async function startRelay(
  devnet: string,
  { signal, say }: { readonly signal: AbortSignal; readonly say: Say },
): Promise<void> {
  const home = relayHome(devnet);
  if (relayAddresses(devnet).length === 0) return;
  if (readRunning(home) !== undefined) {
    if (!(await isSilent(devnet))) return;
    say('the relay of the devnet hangs: it is started again', 'matters');
    await stopRelay(devnet, signal);
  }
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
  const path = join(home, 'logs', 'relay.log');
  const log = openSync(path, 'a', 0o600);
  const child = spawn(process.execPath, [ENTRY, 'devnet', 'relay', '--devnet', devnet], {
    cwd: home,
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  closeSync(log);
  const running = async () => readRunning(home);
  if (await waitUntil(running, { timeoutMs: START_TIMEOUT_MS, pollMs: LOOK_MS / 10, signal })) return;
  throw new NectarError('CLI_DEVNET_FAILED', {
    part: 'relay',
    reason: `it does not run after ${START_TIMEOUT_MS / 1000} s, see ${path}`,
  });
}

/** True when every address that this machine has takes connections to L1, and none gives an answer. */
async function isSilent(devnet: string): Promise<boolean> {
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []));
  const [port] = portsOf(devnet);
  const answers = await Promise.all(
    relayAddresses(devnet)
      .filter((address) => own.has(address))
      .map((address) => hangsAt(`http://${address}:${port}`)),
  );
  return answers.length > 0 && answers.every((hangs) => hangs);
}

async function hangsAt(url: string): Promise<boolean> {
  try {
    await callRpc(url, 'eth_chainId', []);
    return false;
  } catch (error) {
    // Who refuses the connection may only not listen there yet.
    return ((error as Error).cause as Error | undefined)?.name === 'TimeoutError';
  }
}

/** It keeps no state: one that does not end is killed soon. */
export async function stopRelay(devnet: string, signal: AbortSignal): Promise<void> {
  const home = relayHome(devnet);
  if (readRunning(home) !== undefined) await stopProcess(home, { signal, timeoutMs: STOP_TIMEOUT_MS });
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
