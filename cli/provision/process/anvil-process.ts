import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** The development L1 as a child process: where it is, and where it keeps its state. */
export interface AnvilOptions {
  readonly folder: string;
  readonly port: number;
  /** An empty block at least this often, so that `finalized` moves without traffic. */
  readonly blockTimeS: number;
  /** Whole state to disk this often; what came after the last dump is lost on `kill -9`, which L2 sees as an L1 reorg. */
  readonly stateIntervalS: number;
  readonly chainId: number;
}

const PLATFORMS: Readonly<Record<string, string>> = {
  'linux-x64': 'anvil-linux-amd64',
  'linux-arm64': 'anvil-linux-arm64',
  'darwin-x64': 'anvil-darwin-amd64',
  'darwin-arm64': 'anvil-darwin-arm64',
  'win32-x64': 'anvil-win32-amd64',
};

const PROGRAM = 'anvil';
const STOP_TIMEOUT_MS = 12_000;
const STOP_SAID_MS = 3_000;
const KILL_TIMEOUT_MS = 5_000;
const POLL_MS = 50;

/** The platform package's binary; undefined when npm installed none. Needs no postinstall script of @foundry-rs/anvil. */
export function findAnvilBinary(): string | undefined {
  const name = PLATFORMS[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(`@foundry-rs/${name}/package.json`);
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts anvil detached. Accounts come from our own mnemonic file, so anvil gets none (its arguments are readable by every
 * user of the machine), answers no browser (no CORS) and logs no key (quiet).
 */
export async function spawnAnvil(binary: string, options: AnvilOptions): Promise<ChildProcess> {
  await restoreState(options.folder);
  const log = await open(join(options.folder, 'anvil.log'), 'a', 0o600);
  const child = spawn(binary, anvilArguments(options), { detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.unref();
  await log.close();
  if (child.pid !== undefined) await writeFile(pidPath(options.folder), String(child.pid), { mode: 0o600 });
  return child;
}

function anvilArguments(options: AnvilOptions): string[] {
  return [
    ['--quiet', '--no-cors', '--accounts', '0', '--hardfork', 'prague'],
    ['--host', '127.0.0.1', '--port', String(options.port), '--chain-id', String(options.chainId)],
    ['--mixed-mining', '--block-time', String(options.blockTimeS), '--slots-in-an-epoch', '1'],
    ['--state', statePath(options.folder), '--state-interval', String(options.stateIntervalS)],
  ].flat();
}

/**
 * The pid of the anvil that runs on this folder; undefined when none does. A pid that another program took is not ours.
 * @param proc where the kernel shows processes
 */
export function findAnvilPid(folder: string, proc = '/proc'): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(pidPath(folder), 'utf8'));
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  if (process.platform !== 'linux') return pid;
  try {
    const words = readFileSync(join(proc, String(pid), 'cmdline'), 'utf8');
    if (words !== '') return words.includes(statePath(folder)) ? pid : undefined;
    // What is just being started has its program and, for a moment, no words; what has ended has neither.
    return basename(readlinkSync(join(proc, String(pid), 'exe'))).startsWith(PROGRAM) ? pid : undefined;
  } catch {
    return undefined;
  }
}

export interface StopAnvil {
  /** Told when it does not end by itself. */
  readonly say?: (text: string) => void;
  readonly sayAfterMs?: number;
  /** After that was said. */
  readonly killAfterMs?: number;
}

/**
 * Stops the anvil of this folder and waits until it has dumped its state; one that does not end is killed, which is said. Does nothing
 * when none runs.
 *
 * @throws NectarError CLI_NODE_STOP_FAILED
 */
export async function stopAnvil(folder: string, options: StopAnvil = {}): Promise<void> {
  const { say, sayAfterMs = STOP_SAID_MS, killAfterMs = STOP_TIMEOUT_MS } = options;
  const pid = findAnvilPid(folder);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  if (!(await hasEnded(folder, sayAfterMs))) {
    say?.(`the development L1 (pid ${pid}) does not end: it is killed in ${killAfterMs / 1000} s`);
    if (!(await hasEnded(folder, killAfterMs))) {
      process.kill(pid, 'SIGKILL');
      if (!(await hasEnded(folder, KILL_TIMEOUT_MS))) throw new NectarError('CLI_NODE_STOP_FAILED', { pid });
    }
  }
  await rm(pidPath(folder), { force: true });
}

async function hasEnded(folder: string, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += POLL_MS) {
    if (findAnvilPid(folder) === undefined) return true;
    await delay(POLL_MS);
  }
  return findAnvilPid(folder) === undefined;
}

/**
 * Keeps a second, complete copy of the state: anvil truncates its file before it writes it, so a crash in that moment leaves
 * nothing. Returns false, and keeps the older copy, when the file is not complete right now.
 */
export async function backUpState(folder: string): Promise<boolean> {
  const state = await readComplete(statePath(folder));
  if (state === undefined) return false;
  await replaceFile(backupPath(folder), state, 0o600);
  return true;
}

async function restoreState(folder: string): Promise<void> {
  if (!existsSync(statePath(folder)) || (await backUpState(folder))) return;
  await rename(statePath(folder), `${statePath(folder)}.broken`);
  const backup = await readComplete(backupPath(folder));
  if (backup !== undefined) await replaceFile(statePath(folder), backup, 0o600);
}

async function readComplete(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

function statePath(folder: string): string {
  return join(folder, 'state.json');
}

function backupPath(folder: string): string {
  return join(folder, 'state.backup.json');
}

function pidPath(folder: string): string {
  return join(folder, 'anvil.pid');
}
