import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Contract, hexlify, JsonRpcProvider, keccak256, parseEther, toUtf8Bytes, Wallet } from 'ethers';
import { NodeRegistryAbi } from '../../../contracts/generated/NodeRegistry.ts';
import type { Hex, PeerIdText } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { encodePeerId, registryEntryId } from '../../../protocol/network/node-identity.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import type { Say } from '../../render/work.ts';
import type { Terminal } from '../../terminal.ts';
import { waitUntil } from '../../wait-until.ts';
import { withCommandLock } from '../command-lock.ts';
import { findAnvilPid } from './anvil-process.ts';
import { withPortsChosenAgain } from './choose-ports-again.ts';
import { createDevnet } from './create-devnet.ts';
import { defaultPorts } from './default-ports.ts';
import {
  devnetKeyPath,
  faucetKeyPath,
  isDevnetHome,
  readDevnetDescriptor,
  readKey,
  requireDevnet,
} from './devnet-home.ts';
import { startDevnetL1, stopDevnetL1 } from './devnet-l1.ts';
import {
  type ChosenPorts,
  choosePorts,
  DEVNET_PARTS,
  devnetPortsOf,
  moveDevnet,
  requireDevnetPort,
} from './devnet-ports.ts';
import { startRelay, stopRelay } from './devnet-relay.ts';
import { depositEth } from './l1-contracts.ts';
import { callRpc } from './rpc.ts';
import { readRunning } from './running.ts';
import { whyItEnded } from './start-failure.ts';
import { startProcess } from './start-node.ts';
import { stopProcess } from './stop-node.ts';

const POLL_MS = 100;
const READY_TIMEOUT_MS = 60_000;
/** One that ran before answers, or hangs. */
const ANSWER_TIMEOUT_MS = 12_000;
/** Reason of an ejection by hand (NodeRegistry leaves the codes to the network's rules). */
/** DueProcess.REASON_HARM: out at once, without draining. */
const EJECTION_REASON = 1;

export interface DevnetStatus {
  readonly devnet: string;
  readonly running: boolean;
  readonly l1: { readonly rpcUrl: string; readonly block: number | null };
  readonly l2: { readonly rpcUrl: string; readonly block: number | null };
}

/** How a devnet is brought up. */
export interface DevnetUp {
  readonly terminal: Terminal;
  readonly say: Say;
  /** Ports that a person chose; the others stay, or are the usual ones. */
  readonly ports?: ChosenPorts;
}

/** Makes the devnet where there is none, starts whatever of it is not running, and waits until it answers. */
export async function devnetUp(devnet: string, { terminal, say, ports = {} }: DevnetUp): Promise<DevnetStatus> {
  const { signal } = terminal;
  return withCommandLock({ home: devnet, name: 'devnet', purpose: 'devnet up', signal, say }, async () => {
    const l1 = join(devnet, 'l1');
    const before = {
      l1: findAnvilPid(l1) !== undefined,
      sequencer: readRunning(devnet) !== undefined,
      files: new Set(await readdir(devnet)),
    };
    try {
      await requirePlace(devnet, ports, before.l1 || before.sequencer);
      if (isDevnetHome(devnet)) await startParts(devnet, { terminal, say });
      else await makeAndStart(devnet, { terminal, say, ports });
      return await devnetStatus(devnet);
    } catch (error) {
      // Half a devnet is none. Our own signal may be the reason: the stop must still be waited for.
      if (!before.sequencer) await stopProcess(devnet, { signal: new AbortController().signal });
      if (!before.l1) await stopDevnetL1(l1, { say: (text) => say(text, 'matters') });
      if (!isDevnetHome(devnet)) await removeMade(devnet, before.files);
      throw error;
    }
  });
}

/** A new devnet whose ports are taken by another program between the look and the start gets other ones. */
async function makeAndStart(devnet: string, { terminal, say, ports = {} }: DevnetUp): Promise<void> {
  const { signal, env } = terminal;
  await withPortsChosenAgain(
    async () => {
      if (!isDevnetHome(devnet)) await createDevnet(devnet, { say, signal, now: () => terminal.now(), env, ports });
      await startParts(devnet, { terminal, say });
    },
    async (taken) => {
      if (Object.values(ports).includes(taken)) return false;
      say(`another program took port ${taken}: choosing again`, 'matters');
      await stopProcess(devnet, { signal });
      await stopDevnetL1(join(devnet, 'l1'));
      if (isDevnetHome(devnet)) await moveDevnet(devnet, await choosePorts(defaultPorts(env).devnet, ports));
      return true;
    },
  );
}

/** Moves a devnet that is there to the ports that were asked for. */
async function requirePlace(devnet: string, chosen: ChosenPorts, isUp: boolean): Promise<void> {
  if (Object.keys(chosen).length === 0 || !isDevnetHome(devnet)) return;
  const now = devnetPortsOf(readDevnetDescriptor(devnet));
  const isThere = DEVNET_PARTS.every((part) => (chosen[part] ?? now[part]) === now[part]);
  if (isUp && isThere) return;
  if (isUp)
    throw new NectarError('CLI_USAGE', {
      problem: 'a devnet that runs cannot be moved: `nectar-byon devnet down` first',
    });
  await moveDevnet(devnet, chosen);
}

async function startParts(devnet: string, { terminal, say }: DevnetUp): Promise<void> {
  const { signal } = terminal;
  const descriptor = readDevnetDescriptor(devnet);
  const ports = devnetPortsOf(descriptor);
  const l1 = join(devnet, 'l1');
  say(findAnvilPid(l1) === undefined ? 'starting the development L1' : 'asking the development L1');
  await startDevnetL1({ folder: l1, port: ports.l1 });
  const ranBefore = readRunning(devnet) !== undefined;
  if (!ranBefore) {
    for (const part of ['rpc', 'p2p'] as const) await requireDevnetPort(part, ports[part]);
    say('starting the sequencer');
    await startProcess({ home: devnet, role: 'sequencer', env: terminal.env, signal });
  }
  say('waiting for the sequencer');
  await waitForSequencer(descriptor, { devnet, ranBefore, signal });
  await startRelay(devnet, { signal, say });
}

/** What this attempt made in the folder, whatever else lies in it; the lock that it holds stays. */
async function removeMade(devnet: string, before: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(devnet))
    if (!before.has(name) && name !== 'run') await rm(join(devnet, name), { recursive: true, force: true });
}

/** Stops the sequencer, then L1, with their state on disk. */
export async function devnetDown(devnet: string, signal: AbortSignal, say: Say): Promise<{ wasRunning: boolean }> {
  requireDevnet(devnet);
  return withCommandLock({ home: devnet, name: 'devnet', purpose: 'devnet down', signal, say }, async () => {
    await stopRelay(devnet, signal);
    const { wasRunning } = await stopProcess(devnet, { signal });
    const l1 = join(devnet, 'l1');
    const l1Running = findAnvilPid(l1) !== undefined;
    await stopDevnetL1(l1, { say: (text) => say(text, 'matters') });
    return { wasRunning: wasRunning || l1Running };
  });
}

/** Stops the devnet, and removes it with its chain and keys. */
export async function devnetDestroy(devnet: string, signal: AbortSignal, say: Say): Promise<void> {
  await devnetDown(devnet, signal, say);
  await rm(devnet, { recursive: true, force: true });
}

export async function devnetStatus(devnet: string): Promise<DevnetStatus> {
  requireDevnet(devnet);
  const descriptor = readDevnetDescriptor(devnet);
  const [l1Url, l2Url] = [endpoint(descriptor, 'l1Rpc'), endpoint(descriptor, 'sequencerRpc')];
  const [l1, l2] = await Promise.all([findBlock(l1Url), findBlock(l2Url)]);
  return {
    devnet,
    running: readRunning(devnet) !== undefined && l1 !== null && l2 !== null,
    l1: { rpcUrl: l1Url, block: l1 },
    l2: { rpcUrl: l2Url, block: l2 },
  };
}

/** Sends test ether from L1 to an L2 account, and waits until L2 has it. */
export async function devnetFund(
  devnet: string,
  request: { to: Hex; ether: string; signal: AbortSignal },
): Promise<void> {
  requireDevnet(devnet);
  const descriptor = readDevnetDescriptor(devnet);
  const rpcUrl = endpoint(descriptor, 'sequencerRpc');
  const { to, signal } = request;
  const amountWei = parseEther(request.ether);
  const before = await balanceOf(rpcUrl, to);
  const key = await readKey(faucetKeyPath(devnet));
  await depositEth({ rpcUrl: endpoint(descriptor, 'l1Rpc'), key }, { inbox: descriptor.l1.inbox, to, amountWei });
  const arrived = async (): Promise<true | undefined> => (await balanceOf(rpcUrl, to)) > before || undefined;
  if (await waitUntil(arrived, { timeoutMs: READY_TIMEOUT_MS, pollMs: POLL_MS, signal })) return;
  throw new NectarError('CLI_JOIN_TIMEOUT', { seconds: READY_TIMEOUT_MS / 1000, waitingFor: 'the deposit on L2' });
}

/** Both of the devnet's auditors vote a node out. @throws NectarError CLI_DEVNET_PEER_UNKNOWN */
export async function devnetEject(
  devnet: string,
  peer: string,
  signal: AbortSignal,
): Promise<{ nodeId: Hex; blockNumber: number }> {
  requireDevnet(devnet);
  const peerId = parsePeer(peer);
  const provider = new JsonRpcProvider(endpoint(readDevnetDescriptor(devnet), 'sequencerRpc'), undefined, {
    staticNetwork: true,
  });
  provider.pollingInterval = POLL_MS;
  try {
    const registry = new Contract(PREDEPLOYS.nodeRegistry, [...NodeRegistryAbi], provider);
    const node = (await registry
      .getFunction('nodeOf')
      .staticCall(encodePeerId(peer))
      .catch(() => undefined)) as { status?: bigint; owner: Hex } | undefined;
    if (node === undefined || Number(node.status ?? 0n) === 0)
      throw new NectarError('CLI_DEVNET_PEER_UNKNOWN', { peer });
    const nodeId = registryEntryId(peerId, node.owner);
    let blockNumber = 0;
    for (const auditor of ['auditor-1', 'auditor-2'] as const) {
      const wallet = new Wallet(hexlify(await readKey(devnetKeyPath(devnet, auditor))), provider);
      const vote = registry.connect(wallet) as Contract;
      const sent = await vote
        .getFunction('eject')
        .send(nodeId, EJECTION_REASON, keccak256(toUtf8Bytes('devnet eject')));
      blockNumber = await waitForBlock(provider, sent.hash, signal);
    }
    return { nodeId, blockNumber };
  } finally {
    provider.destroy();
  }
}

/** Asks for the receipt itself: a transaction's own wait() looks at new blocks only, and there may be none for long. */
async function waitForBlock(provider: JsonRpcProvider, hash: string, signal: AbortSignal): Promise<number> {
  const receipt = async () => (await provider.getTransactionReceipt(hash)) ?? undefined;
  const found = await waitUntil(receipt, { timeoutMs: READY_TIMEOUT_MS, pollMs: POLL_MS, signal });
  if (found !== undefined) return found.blockNumber;
  throw new NectarError('CLI_DEVNET_FAILED', { part: 'sequencer', reason: 'a vote got no receipt' });
}

function parsePeer(peer: string): PeerIdText {
  encodePeerId(peer);
  return peer as PeerIdText;
}

function endpoint(descriptor: NetworkDescriptor, name: 'l1Rpc' | 'sequencerRpc'): string {
  return descriptor.endpoints[name][0] ?? '';
}

async function waitForSequencer(
  descriptor: NetworkDescriptor,
  { devnet, ranBefore, signal }: { readonly devnet: string; readonly ranBefore: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const url = endpoint(descriptor, 'sequencerRpc');
  const timeoutMs = ranBefore ? ANSWER_TIMEOUT_MS : READY_TIMEOUT_MS;
  const answer = async (): Promise<'ours' | 'ended' | undefined> => {
    if (readRunning(devnet) === undefined) return 'ended';
    return (await findGenesisHash(url)) === descriptor.l2.genesisHash ? 'ours' : undefined;
  };
  const found = await waitUntil(answer, { timeoutMs, pollMs: POLL_MS, signal });
  if (found === 'ours') return;
  const seconds = timeoutMs / 1000;
  if (found === 'ended') {
    const log = join(devnet, 'logs', 'node.log');
    throw (await whyItEnded(devnet, log, 0)) ?? new NectarError('CLI_NODE_START_FAILED', { reason: 'it ended', log });
  }
  if (ranBefore) throw new NectarError('CLI_DEVNET_SILENT', { part: 'sequencer', url, seconds });
  throw new NectarError('CLI_DEVNET_FAILED', { part: 'sequencer', reason: `no answer at ${url} in ${seconds} s` });
}

async function balanceOf(url: string, address: Hex): Promise<bigint> {
  return BigInt(String(await callRpc(url, 'eth_getBalance', [address, 'latest'])));
}

/** Of the chain that answers there, which may be another devnet's. */
async function findGenesisHash(url: string): Promise<unknown> {
  try {
    return ((await callRpc(url, 'eth_getBlockByNumber', ['0x0', false])) as { hash?: unknown } | null)?.hash;
  } catch {
    return undefined;
  }
}

async function findBlock(url: string): Promise<number | null> {
  try {
    return Number(await callRpc(url, 'eth_blockNumber', []));
  } catch {
    return null;
  }
}
