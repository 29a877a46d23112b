import { access, constants, statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { isPortFree, isPortTaken } from './provision/process/free-port.ts';
import { callRpc } from './provision/process/rpc.ts';
import { formatBytes, formatDuration } from './render/quantities.ts';
import type { Terminal } from './terminal.ts';

const GIB_BYTES = 1024 ** 3;
const MIN_DISK_BYTES = 100 * 1024 * 1024;
const GOOD_DISK_BYTES = 20 * GIB_BYTES;
const MIN_MEMORY_BYTES = GIB_BYTES / 2;
const GOOD_MEMORY_BYTES = 2 * GIB_BYTES;
const MIN_NODE = [24, 7] as const;
/** Certificates and tokens bear a few minutes; a batch's timestamp rule bears less than an hour. */
const GOOD_SKEW_MS = 60_000;
const MAX_SKEW_MS = 5 * 60_000;
/** A development L1 makes a block at least this often: an older head says nothing about our clock. */
const BLOCK_AGE_MS = 60_000;

export type Grade = 'good' | 'poor' | 'bad';

/** One look at the machine: the number, the verdict, and what to do when it is not good. */
export interface Check {
  readonly name: string;
  readonly value: string;
  readonly grade: Grade;
  readonly advice?: string;
}

export interface PreflightRequest {
  readonly home: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly host: string }[];
  /** An L1 endpoint, for the clock; where there is none the clock is only checked for being sane. */
  readonly l1Rpc: string | undefined;
}

/** Looks at disk, memory, ports, clock and Node before anything is made. Changes nothing. */
export async function preflight(request: PreflightRequest, terminal: Terminal): Promise<Check[]> {
  return [
    checkNode(process.versions.node),
    await checkDisk(request.home),
    await checkFolder(request.home),
    checkMemory(freemem(), totalmem()),
    ...(await Promise.all(request.ports.map(checkPort))),
    await checkClock(terminal, request.l1Rpc),
  ];
}

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return {
    name: 'Node.js',
    value: version,
    grade: good ? 'good' : 'bad',
    ...(!good && { advice: `needs ${MIN_NODE.join('.')} or newer` }),
  };
}

export async function checkDisk(home: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearestExisting(home));
  return gradeDisk(bavail * bsize);
}

export function gradeDisk(free: number): Check {
  const value = `${formatBytes(free)} free`;
  if (free < MIN_DISK_BYTES)
    return { name: 'disk', value, grade: 'bad', advice: `needs ${formatBytes(MIN_DISK_BYTES)} at least` };
  if (free < GOOD_DISK_BYTES)
    return { name: 'disk', value, grade: 'poor', advice: `${formatBytes(GOOD_DISK_BYTES)} leave room for records` };
  return { name: 'disk', value, grade: 'good' };
}

export async function checkFolder(home: string): Promise<Check> {
  const folder = await nearestExisting(home);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return { name: 'folder', value: `${folder} is writable`, grade: 'good' };
  } catch {
    return { name: 'folder', value: `${folder} is not writable`, grade: 'bad', advice: 'choose another with --home' };
  }
}

/** The folder, or the nearest one above it that is there already. */
async function nearestExisting(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch {
    return dirname(path) === path ? path : nearestExisting(dirname(path));
  }
}

export function checkMemory(free: number, total: number): Check {
  const value = `${formatBytes(free)} free of ${formatBytes(total)}`;
  if (total < MIN_MEMORY_BYTES)
    return { name: 'memory', value, grade: 'bad', advice: `needs ${formatBytes(MIN_MEMORY_BYTES)} at least` };
  if (total < GOOD_MEMORY_BYTES)
    return { name: 'memory', value, grade: 'poor', advice: `${formatBytes(GOOD_MEMORY_BYTES)} are better` };
  return { name: 'memory', value, grade: 'good' };
}

export async function checkPort({ name, port, host }: PreflightRequest['ports'][number]): Promise<Check> {
  if (port === 0) return { name, value: 'any free port', grade: 'good' };
  const free = !(await isPortTaken(port, host)) && (await isPortFree(port, host));
  return {
    name,
    value: `${port} is ${free ? 'free' : 'taken'}`,
    grade: free ? 'good' : 'bad',
    ...(!free && { advice: 'choose another' }),
  };
}

/** Against the time of the newest L1 block where that is fresh; else the clock can only be plainly wrong. */
export async function checkClock(terminal: Terminal, l1Rpc: string | undefined): Promise<Check> {
  const now = terminal.now();
  if (l1Rpc !== undefined) {
    try {
      const block = (await callRpc(l1Rpc, 'eth_getBlockByNumber', ['latest', false])) as { timestamp?: string } | null;
      return gradeClock(now, Number(block?.timestamp) * 1000);
    } catch {
      // The L1 does not answer (yet): the clock alone is left.
    }
  }
  const plausible = now > Date.UTC(2026, 0) && now < Date.UTC(2060, 0);
  const value = `${new Date(now).toISOString().slice(0, 16)} UTC, nothing here to compare with`;
  return { name: 'clock', value, grade: plausible ? 'good' : 'bad', ...(!plausible && { advice: 'set the clock' }) };
}

function gradeClock(now: number, blockTime: number): Check {
  const behind = blockTime - now;
  const value = `L1 block of ${formatDuration(Math.abs(behind))} ${behind > 0 ? 'in the future' : 'ago'}`;
  if (behind > MAX_SKEW_MS) return { name: 'clock', value, grade: 'bad', advice: 'this clock is behind: use NTP' };
  if (behind > GOOD_SKEW_MS) return { name: 'clock', value, grade: 'poor', advice: 'this clock is behind: use NTP' };
  if (-behind > MAX_SKEW_MS + BLOCK_AGE_MS)
    return { name: 'clock', value, grade: 'poor', advice: 'this clock is ahead, or the L1 stands still' };
  return { name: 'clock', value, grade: 'good' };
}
