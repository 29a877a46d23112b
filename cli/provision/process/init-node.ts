import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { byKeyFile, byPassphrase, type Enrolment } from '../../../appliance/keys/index.ts';
import { assertMachine } from '../../../appliance/rollup/network-rules.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { MAX_DESCRIPTOR_BYTES, parseDescriptor } from '../../../protocol/network/descriptor.ts';
import { leaving } from '../../interruption.ts';
import { openNodeClient } from '../../node-client.ts';
import type { Output } from '../../render/output.ts';
import { showWork } from '../../render/work.ts';
import { requireSnapshotOf } from '../../snapshot-file.ts';
import type { Terminal } from '../../terminal.ts';
import { writeWhole } from '../write-whole.ts';
import { bringUp } from './bring-up.ts';
import { withPortsChosenAgain } from './choose-ports-again.ts';
import { createHome, type HomeRequest } from './create-home.ts';
import { defaultPorts } from './default-ports.ts';
import { devnetUp } from './devnet.ts';
import { descriptorPath } from './devnet-home.ts';
import { findFreePort } from './free-port.ts';
import { joinNetwork } from './join-network.ts';
import type { HomePlan } from './plan-home.ts';
import { readRunning } from './running.ts';
import { stopProcess } from './stop-node.ts';

export interface InitRequest {
  readonly plan: HomePlan;
  readonly passphrase: Uint8Array | undefined;
  readonly names: readonly string[];
  /** A snapshot that the node begins with. */
  readonly snapshot?: string | undefined;
  readonly timeoutMs: number;
  /** The key file is made here, and goes when the node does not come up. */
  readonly keyFileIsOurs?: boolean;
  readonly terminal: Terminal;
  readonly output: Output;
}

export interface InitResult {
  readonly home: string;
  readonly gateway: string;
  readonly nodeId: string;
  readonly peerId: string;
  readonly network: string;
}

/**
 * The work of `init`, step by step. Ctrl-C, or a failure before the node has come up, takes away what was made. A node that came up
 * and only was not admitted stays: it serves its owner, and `network join` does what is left.
 */
export async function initNode(request: InitRequest): Promise<InitResult> {
  return withDevnetNamed(request, () => makeNode(request));
}

/** What `init` leaves when it is interrupted: a devnet that it started, which other nodes may use by then. */
export function withDevnetNamed<T>({ plan, terminal }: InitRequest, work: () => Promise<T>): Promise<T> {
  const ranBefore = readRunning(plan.devnet) !== undefined;
  const left = (): string | undefined =>
    plan.network !== 'devnet' || ranBefore || readRunning(plan.devnet) === undefined
      ? undefined
      : 'nothing of the node is left; the devnet goes on running, `nectar-byon devnet down` stops it';
  return leaving(terminal, left, work);
}

async function makeNode(request: InitRequest): Promise<InitResult> {
  const { plan, passphrase, terminal, output, timeoutMs } = request;
  const { home } = plan;
  const keyFileIsOurs = plan.keyFile !== undefined && !existsSync(plan.keyFile);
  const descriptor = await openDescriptor(request);
  const identity = await showWork(terminal, output, 'making keys and certificates', (say) =>
    createHome(homeRequest(request, descriptor.bytes), (step) => say(`making the ${step}`)),
  );
  // createHome wiped what it was given: the node gets its own copy.
  let came = false;
  let gateway: string;
  try {
    ({ gateway } = await withPortsChosenAgain(
      () => bringUp({ home, terminal, output, timeoutMs, passphrase: passphrase && new Uint8Array(passphrase) }),
      (taken) => moveNode(request, taken),
    ));
    came = true;
    if (plan.network === 'devnet') await admit(request);
  } catch (error) {
    if (!came || terminal.signal.aborted) await undo(home, keyFileIsOurs ? plan.keyFile : undefined);
    throw error;
  } finally {
    passphrase?.fill(0);
  }
  const { nodeId, peerId } = identity;
  return { home, gateway, nodeId, peerId, network: descriptor.name };
}

/** Gives a node that is just being made other ports, unless a person named the one that is taken. */
async function moveNode({ plan, terminal, output }: InitRequest, taken: number): Promise<boolean> {
  if (plan.namedPorts.includes(taken)) return false;
  const { gateway: preferred, p2p, devnet } = defaultPorts(terminal.env);
  const { home, host, p2pHost, namedPorts, config } = plan;
  const named = (port: number): number | undefined => (namedPorts.includes(port) ? port : undefined);
  const port = named(plan.port) ?? (await findFreePort(preferred, { host }));
  const others = [port, ...Object.values(devnet)];
  const listenPort = named(plan.p2pPort) ?? (await findFreePort(p2p, { host: p2pHost, taken: others }));
  output.note(`another program took port ${taken}: the API is on port ${port}, peers on ${listenPort}`);
  const moved = { ...config, gateway: { host, port }, p2p: { ...(config.p2p as object), listenPort } };
  await writeWhole(home, 'config.json', `${JSON.stringify(moved, undefined, 2)}\n`);
  return true;
}

/** The signed descriptor of the network; a devnet is brought up first. */
export async function openDescriptor({
  plan,
  snapshot,
  terminal,
  output,
}: InitRequest): Promise<{ bytes: Uint8Array; name: string }> {
  let path = plan.network;
  if (plan.network === 'devnet') {
    await showWork(terminal, output, 'bringing up the devnet', (say) => devnetUp(plan.devnet, { terminal, say }));
    path = descriptorPath(plan.devnet);
  }
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: error.code ?? error.message }, { cause: error });
  });
  if (bytes.length > MAX_DESCRIPTOR_BYTES) {
    throw new NectarError('NETWORK_DESCRIPTOR_OVERSIZE', { bytes: bytes.length, maxBytes: MAX_DESCRIPTOR_BYTES });
  }
  const { descriptor } = parseDescriptor(bytes);
  // Better now than when the node starts.
  assertMachine(descriptor);
  if (snapshot !== undefined) await requireSnapshotOf(snapshot, descriptor.l2);
  return { bytes, name: descriptor.name };
}

/** What the home of the plan is made from. The passphrase is a copy, which is wiped by the work. */
export function homeRequest(
  { plan, passphrase, names, snapshot, terminal }: InitRequest,
  descriptor: Uint8Array,
): HomeRequest {
  const { home, config } = plan;
  const enrol = enrolmentOf(plan, passphrase);
  const { signal } = terminal;
  return { home, enrol, config, descriptor, names, snapshot, signal, now: () => terminal.now() };
}

function enrolmentOf({ unlock, keyFile }: HomePlan, passphrase: Uint8Array | undefined): Enrolment {
  if (keyFile !== undefined) return byKeyFile(keyFile);
  if (unlock === 'passphrase') return byPassphrase(new Uint8Array(passphrase ?? []));
  return { provider: unlock, settings: {} };
}

/** Has the network admit the node. */
export async function admit({ plan, terminal, output, timeoutMs }: InitRequest): Promise<void> {
  const { signal } = terminal;
  const client = await openNodeClient({ home: plan.home, signal });
  try {
    await showWork(terminal, output, 'joining the network', (say) =>
      joinNetwork({ client, devnet: plan.devnet, timeoutMs, signal, say }),
    );
  } finally {
    await client.close();
  }
}

async function undo(home: string, keyFile: string | undefined): Promise<void> {
  // Our own signal may be the reason: the stop must still be waited for.
  await stopProcess(home, { signal: new AbortController().signal });
  await rm(home, { recursive: true, force: true });
  if (keyFile !== undefined) await rm(keyFile, { force: true });
}
