import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { configPath, readConfigFile } from '../../../appliance/config/index.ts';
import { parseDescriptor } from '../../../protocol/network/descriptor.ts';
import { isDevnetHome } from '../process/devnet-home.ts';
import { followDevnet, isDevnetOf } from '../process/devnet-ports.ts';
import { exposeDevnet } from '../process/devnet-relay.ts';
import { writeWhole } from '../write-whole.ts';
import { convergeGround } from './converge.ts';
import { desiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { readDockerNode } from './node-spec.ts';
import { objectName, P2P_PORT } from './role-table.ts';

export interface ReachDevnet {
  readonly home: string;
  readonly devnet: string;
  readonly nodeId: string;
  readonly signal: AbortSignal;
}

/**
 * The devnet is on loopback, which is another one in a container: its relay listens on the node's own network too, and the node is
 * published there, where other nodes of the devnet reach it from their containers. Also at each start, and after a restore: a network that
 * was removed is made with another address.
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
  const changed = { ...config, rollup, p2p };
  if (isDeepStrictEqual(changed, config)) return;
  await writeWhole(home, 'config.json', `${JSON.stringify(changed, undefined, 2)}\n`);
}

/**
 * Before a start: follows a devnet that moved, and takes the address that the node's network has now, which is another one after the
 * network was removed and made again. Changes nothing where both are as they were.
 *
 * @throws NectarError CLI_ENGINE_NAME_TAKEN, VOLUME_MISSING
 */
export async function reachDevnetAgain(engine: Engine, reach: Omit<ReachDevnet, 'nodeId'>): Promise<boolean> {
  const { home, devnet } = reach;
  if (!isDevnetOf(home, devnet)) return false;
  const moved = await followDevnet(home, devnet);
  const { spec, config } = readDockerNode(home);
  const wan = objectName(spec.nodeId, 'wan');
  if ((await engine.networks.find(wan)) === undefined) await convergeGround(engine, desiredState(spec), 'passing');
  const address = (await engine.networks.find(wan))?.IPAM?.Config?.[0]?.Gateway;
  if (!moved && address === config.p2p.listenHost) return false;
  await reachDevnet(engine, { ...reach, nodeId: spec.nodeId });
  return true;
}
