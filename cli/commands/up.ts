import { type Command, Option } from 'commander';
import { MARKED_VOLUMES, type MarkedVolume } from '../../appliance/volume-marks.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { devnetFolder, requireHome } from '../home-folder.ts';
import { leaving } from '../interruption.ts';
import { recordCopies } from '../life/copy-reports.ts';
import { CAN_START_EMPTY, type EmptyVolume } from '../life/empty-volumes.ts';
import { prepareStart } from '../life/prepare-start.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { bringUp } from '../provision/process/bring-up.ts';
import { readRunning } from '../provision/process/running.ts';
import type { Output } from '../render/output.ts';
import { parseDuration } from '../render/quantities.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';

export const DEFAULT_READY = '120s';
/** A node that has just become ready may still refuse: a neighbour of its gateway is being found again. */
const RECORD_PATIENCE_MS = 10_000;

interface UpOptions {
  readonly passphraseFile?: string;
  readonly emit?: 'compose';
  readonly timeout: string;
  readonly startEmpty?: EmptyVolume;
  readonly ownVolume?: MarkedVolume;
}

export function registerUp(program: Command, terminal: Terminal): void {
  addVerb(program, 'up', {
    summary: 'start the node in the background; after a crash it recovers by itself',
    about: 'A node that opens with a passphrase asks for it here, or stays up and locked until `nectar-byon unlock`.',
    examples: ['up', 'up --passphrase-file /run/secrets/nectar', 'up --home /srv/clinic --json'],
  })
    .addOption(passphraseFileOption())
    .addOption(new Option('--timeout <duration>', 'how long to wait until it is ready').default(DEFAULT_READY))
    .addOption(
      new Option('--emit <format>', 'containers: write a Compose file into the home, and start nothing').choices([
        'compose',
      ]),
    )
    .addOption(
      new Option(
        '--start-empty <volume>',
        'a volume of the node is lost for good: begin without what was in it, on record in the audit log',
      ).choices(CAN_START_EMPTY),
    )
    .addOption(
      new Option(
        '--own-volume <volume>',
        'a volume is the right one, and only its mark (volume.json) is damaged or gone: mark it anew',
      )
        .choices(MARKED_VOLUMES)
        .conflicts('startEmpty'),
    )
    .action(action(terminal, up));
}

export function requireDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new NectarError('CLI_USAGE', { problem: `the duration ${text} is not of the form 90d, 12h, 30m or 45s` });
  return ms;
}

type UpCall = Pick<Call<UpOptions>, 'home' | 'options' | 'terminal' | 'output'>;

/** A node that was started: ready, or up and locked. */
export interface StartedNode {
  readonly gateway: string;
  readonly ready: boolean;
  /** Of one that runs as a process. */
  readonly pid?: number;
}

/** Starts the node of a home, wherever it runs, and has it say what waited to be put on record. */
export async function startNode(call: UpCall): Promise<StartedNode> {
  const { home, options, terminal } = call;
  const timeoutMs = requireDuration(options.timeout);
  const start =
    findClusterTarget(home) !== undefined ? startPods : findTarget(home) !== undefined ? startContainers : startProcess;
  const node = await leaving(
    terminal,
    () => startedSoFar(home),
    () => start(call, timeoutMs),
  );
  await recordCopies({ home, signal: terminal.signal, patienceMs: node.ready ? RECORD_PATIENCE_MS : 0 });
  return node;
}

/** What an interrupted start leaves. A process that did not listen yet is ended with the command. */
function startedSoFar(home: string): string | undefined {
  if (findClusterTarget(home) !== undefined || findTarget(home) !== undefined)
    return 'the node starts without this command; `nectar-byon up` waits for it, `nectar-byon down` stops it';
  if (readRunning(home) === undefined) return undefined;
  return 'the node starts without this command; `nectar-byon status` shows how far it is, `nectar-byon down` stops it';
}

async function startPods({ home, options, terminal, output }: UpCall, timeoutMs: number): Promise<StartedNode> {
  const { passphraseFile, startEmpty, ownVolume } = options;
  if (startEmpty !== undefined || ownVolume !== undefined) {
    const named = startEmpty === undefined ? '--own-volume' : '--start-empty';
    throw new NectarError('CLI_USAGE', { problem: `${named} is not for a cluster: see docs/kubernetes.md` });
  }
  const { bringUpCluster } = await import('../provision/kubernetes/bring-up.ts');
  return bringUpCluster({ home, terminal, output, timeoutMs, passphraseFile });
}

async function startContainers({ home, options, terminal, output }: UpCall, timeoutMs: number): Promise<StartedNode> {
  const { passphraseFile } = options;
  const { prepareContainers } = await import('../life/prepare-containers.ts');
  await settleVolumes(home, options, terminal);
  await reachMovedDevnet(home, terminal, output);
  await prepareContainers({ home, terminal, output, passphraseFile });
  const { bringUpDocker } = await import('../provision/docker/bring-up.ts');
  return bringUpDocker({ home, terminal, output, timeoutMs, passphraseFile });
}

/** Where the devnet is now, and where its relay finds the containers. */
async function reachMovedDevnet(home: string, terminal: Terminal, output: Output): Promise<void> {
  const { reachDevnetAgain } = await import('../provision/docker/reach-devnet.ts');
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const engine = openEngine(terminal, findTarget(home)?.engine);
  const devnet = devnetFolder(terminal, undefined);
  if (await reachDevnetAgain(engine, { home, devnet, signal: terminal.signal }))
    output.note('the way to the devnet has changed: the node takes the new one');
}

async function startProcess({ home, options, terminal, output }: UpCall, timeoutMs: number): Promise<StartedNode> {
  const { passphraseFile } = options;
  await settleFolders(home, options, terminal);
  if (readRunning(home) === undefined) await followMovedDevnet(home, terminal, output);
  const { passphrase } = await prepareStart({ home, terminal, output, passphraseFile });
  const node = await bringUp({ home, terminal, output, timeoutMs, passphraseFile, passphrase });
  return { gateway: node.gateway, pid: node.running.pid, ready: node.ready };
}

/** A devnet that was given other ports tells the nodes of this machine by its folder. */
async function followMovedDevnet(home: string, terminal: Terminal, output: Output): Promise<void> {
  const { followDevnet } = await import('../provision/process/devnet-ports.ts');
  if (await followDevnet(home, devnetFolder(terminal, undefined)))
    output.note('the devnet has moved: the node takes its new place');
}

async function settleFolders(
  home: string,
  { startEmpty: volume, ownVolume }: Pick<UpOptions, 'startEmpty' | 'ownVolume'>,
  terminal: Terminal,
): Promise<void> {
  if (ownVolume !== undefined) {
    const { ownFolder } = await import('../life/own-volume.ts');
    await ownFolder({ home, volume: ownVolume });
  }
  if (volume === undefined) return;
  const { startEmptyFolder } = await import('../life/start-empty.ts');
  await startEmptyFolder({ home, volume, now: () => terminal.now() });
}

async function settleVolumes(
  home: string,
  { startEmpty: volume, ownVolume }: Pick<UpOptions, 'startEmpty' | 'ownVolume'>,
  terminal: Terminal,
): Promise<void> {
  if (volume === undefined && ownVolume === undefined) return;
  const { startEmptyVolume } = await import('../life/start-empty.ts');
  const { ownVolume: own } = await import('../life/own-volume.ts');
  const { readDockerNode } = await import('../provision/docker/node-spec.ts');
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { spec, target } = readDockerNode(home);
  const engine = openEngine(terminal, target.engine);
  if (ownVolume !== undefined) await own(engine, spec, { home, volume: ownVolume });
  if (volume !== undefined) await startEmptyVolume(engine, spec, { home, volume, now: () => terminal.now() });
}

async function up(call: Call<UpOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  if (options.emit !== undefined && findTarget(home) !== undefined) {
    const { emitCompose } = await import('../provision/docker/emit-compose.ts');
    const path = await showWork(terminal, output, 'writing the Compose file', () => emitCompose(home, terminal));
    output.result({ home, compose: path }, path);
    return;
  }
  const node = await startNode(call);
  output.result({ home, ...node }, () => describeStarted(node));
}

export function describeStarted({ ready, gateway }: StartedNode): string {
  return ready ? `ready at ${gateway}` : `up at ${gateway}, and locked: open it with \`nectar-byon unlock\``;
}
