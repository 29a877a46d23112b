import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configPath, readConfigFile } from '../../../appliance/config/index.ts';
import { parseDescriptor } from '../../../protocol/network/descriptor.ts';
import { isDevnetHome, writeWhole } from '../process/devnet-home.ts';
import { exposeDevnet } from '../process/devnet-relay.ts';
import type { Engine } from './engine.ts';
import { objectName, P2P_PORT } from './role-table.ts';

export interface ReachDevnet {
  readonly home: string;
  readonly devnet: string;
  readonly nodeId: string;
  readonly signal: AbortSignal;
}

/**
 * The devnet is on loopback, which is another one in a container: its relay listens on the node's own network too, and the node is
 * published there, where other nodes of the devnet reach it from their containers. Also after a restore: the networks are new then.
 * Does nothing for a node of any other network, or where no devnet is.
 */
export async function reachDevnet(engine: Engine, { home, devnet, nodeId, signal }: ReachDevnet): Promise<void> {
  const { descriptor } = parseDescriptor(await readFile(join(home, 'network.json')));
  if (descriptor.devnet === undefined || !isDevnetHome(devnet)) return;
  const network = await engine.networks.find(objectName(nodeId, 'wan'));
  const address = network?.IPAM?.Config?.[0]?.Gateway;
  if (address === undefined) return;
  await exposeDevnet(devnet, address, signal);
  const at = (urls: readonly string[]): string[] => urls.map((url) => `http://${address}:${new URL(url).port}`);
  const config = readConfigFile(configPath(home)) as Record<string, object>;
  const { l1Rpc, l1Beacon = [], sequencerRpc } = descriptor.endpoints;
  const endpoints = { l1RpcUrls: at(l1Rpc), beaconUrls: at(l1Beacon), sequencerRpcUrls: at(sequencerRpc) };
  const rollup = { ...config.rollup, ...endpoints };
  const { listenPort = P2P_PORT } = (config.p2p ?? {}) as { listenPort?: number };
  const p2p = { ...config.p2p, listenHost: address, announce: [`/ip4/${address}/tcp/${listenPort}`] };
  await writeWhole(home, 'config.json', `${JSON.stringify({ ...config, rollup, p2p }, undefined, 2)}\n`);
}
