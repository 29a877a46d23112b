import { readFile } from 'node:fs/promises';
import { configPath, readConfigFile, readDescriptor } from '../../../appliance/config/index.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { type NetworkDescriptor, signDescriptor } from '../../../protocol/network/descriptor.ts';
import { writeWhole } from '../write-whole.ts';
import type { DefaultPorts } from './default-ports.ts';
import { descriptorPath, devnetKeyPath, isDevnetHome, readKey } from './devnet-home.ts';
import { findFreePort, isPortTaken } from './free-port.ts';
import { describeHolder } from './port-holder.ts';

type DevnetPorts = DefaultPorts['devnet'];
export type DevnetPart = keyof DevnetPorts;
/** Parts that are given a port by a person. */
export type ChosenPorts = { readonly [part in DevnetPart]?: number };

export const DEVNET_PARTS = ['l1', 'rpc', 'p2p'] as const satisfies readonly DevnetPart[];
const NAMES: Record<DevnetPart, string> = { l1: 'L1', rpc: 'sequencer', p2p: 'peers' };
const LOOPBACK = '127.0.0.1';

/** Where the parts of a devnet listen, as its descriptor tells everybody. */
export function devnetPortsOf({ endpoints, bootstrap }: NetworkDescriptor): DevnetPorts {
  const portOf = (url: string | undefined): number => Number(url === undefined ? 0 : new URL(url).port);
  const p2p = Number(/\/tcp\/(\d+)/.exec(bootstrap[0] ?? '')?.[1] ?? 0);
  return { l1: portOf(endpoints.l1Rpc[0]), rpc: portOf(endpoints.sequencerRpc[0]), p2p };
}

/** Free ones, from the usual ones up, where nobody chose. */
export async function choosePorts(preferred: DevnetPorts, chosen: ChosenPorts): Promise<DevnetPorts> {
  const taken = Object.values(chosen);
  const choose = async (part: keyof DevnetPorts): Promise<number> => {
    const port = chosen[part] ?? (await findFreePort(preferred[part], { taken }));
    taken.push(port);
    return port;
  };
  return { l1: await choose('l1'), rpc: await choose('rpc'), p2p: await choose('p2p') };
}

/** A port that was taken while the devnet was down. @throws NectarError CLI_DEVNET_PORT_TAKEN */
export async function requireDevnetPort(part: DevnetPart, port: number): Promise<void> {
  if (!(await isPortTaken(port, LOOPBACK))) return;
  const holder = describeHolder(port);
  throw new NectarError('CLI_DEVNET_PORT_TAKEN', { part: NAMES[part], port, ...(holder !== undefined && { holder }) });
}

/**
 * Gives parts of a devnet that is down other ports: in the options of its sequencer, then in its descriptor, signed anew by the same
 * key. Interrupted in between, the same command does the rest.
 */
export async function moveDevnet(devnet: string, chosen: ChosenPorts): Promise<void> {
  const { descriptor } = readDescriptor(devnet);
  const ports: DevnetPorts = { ...devnetPortsOf(descriptor), ...chosen };
  if (new Set(Object.values(ports)).size < DEVNET_PARTS.length) {
    throw new NectarError('CLI_USAGE', { problem: 'two parts of a devnet cannot have one port' });
  }
  const config = readConfigFile(configPath(devnet)) as Record<string, object>;
  const moved = {
    ...config,
    sequencer: { ...config.sequencer, rpcPort: ports.rpc },
    p2p: { ...config.p2p, listenPort: ports.p2p },
  };
  await writeWhole(devnet, 'config.json', `${JSON.stringify(moved, undefined, 2)}\n`);
  const key = await readKey(devnetKeyPath(devnet, 'descriptor'));
  await writeWhole(devnet, 'network.json', signDescriptor(movedTo(descriptor, ports), key));
}

function movedTo(descriptor: NetworkDescriptor, ports: DevnetPorts): NetworkDescriptor {
  const l1 = `http://${LOOPBACK}:${ports.l1}`;
  return {
    ...descriptor,
    endpoints: { l1Rpc: [l1], l1Beacon: [l1], sequencerRpc: [`http://${LOOPBACK}:${ports.rpc}`] },
    bootstrap: descriptor.bootstrap.map((address) => address.replace(/\/tcp\/\d+/, `/tcp/${ports.p2p}`)),
  };
}

/**
 * Gives a node of a devnet the descriptor that the devnet has now, where it moved. Only the same network by the same signer is taken: a
 * devnet that was made anew is another one. True when something changed.
 */
export async function followDevnet(home: string, devnet: string): Promise<boolean> {
  if (!isDevnetOf(home, devnet)) return false;
  const bytes = await readFile(descriptorPath(devnet));
  if (bytes.equals(await readFile(descriptorPath(home)))) return false;
  await writeWhole(home, 'network.json', bytes);
  return true;
}

/** Whether a node belongs to the devnet of this folder. */
export function isDevnetOf(home: string, devnet: string): boolean {
  if (!isDevnetHome(devnet)) return false;
  const [known, now] = [readDescriptor(home), readDescriptor(devnet)];
  const isSameChain = now.descriptor.l2.genesisHash === known.descriptor.l2.genesisHash;
  return known.descriptor.devnet !== undefined && now.signer === known.signer && isSameChain;
}
