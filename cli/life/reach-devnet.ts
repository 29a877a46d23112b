import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDescriptor } from '../../protocol/network/descriptor.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { objectName } from '../provision/docker/role-table.ts';
import { isDevnetHome, writeWhole } from '../provision/process/devnet-home.ts';
import { exposeDevnet } from '../provision/process/devnet-relay.ts';

export interface ReachDevnet {
  readonly home: string;
  readonly devnet: string;
  readonly nodeId: string;
  readonly signal: AbortSignal;
}

/**
 * A node of a devnet that is restored into containers has networks of its own again, and the devnet is to be found at another address.
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
  const config = JSON.parse(await readFile(join(home, 'config.json'), 'utf8')) as Record<string, object>;
  const { l1Rpc, sequencerRpc } = descriptor.endpoints;
  const rollup = { ...config.rollup, l1RpcUrls: at(l1Rpc), sequencerRpcUrls: at(sequencerRpc) };
  await writeWhole(home, 'config.json', `${JSON.stringify({ ...config, rollup }, undefined, 2)}\n`);
}
