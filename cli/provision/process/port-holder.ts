import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** The tables of a few thousand sockets; what is longer is not searched. */
const MAX_TABLE_BYTES = 4 * 1024 * 1024;
const MAX_NAME_LENGTH = 64;
const LISTENING = '0A';
const PID = /^\d+$/;

/** The program that listens on a TCP port, as far as this user may see: of another user's process the kernel shows neither. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** Who listens on a port of this machine, by /proc (proc_net(5)); undefined where nobody does, or it is not for us to see. */
export function findPortHolder(port: number, proc = '/proc'): PortHolder | undefined {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(`${proc}/net/${table}`, port)));
  if (sockets.size === 0) return undefined;
  for (const entry of list(proc)) {
    if (!PID.test(entry)) continue;
    const folder = `${proc}/${entry}/fd`;
    if (list(folder).some((descriptor) => sockets.has(linkOf(`${folder}/${descriptor}`)))) {
      return { pid: Number(entry), name: nameOf(`${proc}/${entry}`) };
    }
  }
  return undefined;
}

/**
 * Whether it is not this process that listens on a port, but another one. False too where nobody can tell: no /proc, or the process is
 * not ours.
 */
export function isPortOfAnother(port: number, pid: number, proc = '/proc'): boolean {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(`${proc}/net/${table}`, port)));
  const folder = `${proc}/${pid}/fd`;
  const descriptors = list(folder);
  if (sockets.size === 0 || descriptors.length === 0) return false;
  return !descriptors.some((descriptor) => sockets.has(linkOf(`${folder}/${descriptor}`)));
}

/** `pid 4711, nginx`, for a message. */
export function describeHolder(port: number): string | undefined {
  const holder = findPortHolder(port);
  return holder && `pid ${holder.pid}, ${holder.name}`;
}

/** As /proc/PID/fd names them: `socket:[inode]`. */
function listeningSockets(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && local?.endsWith(suffix) === true)
    .map((fields) => `socket:[${fields[9]}]`);
}

/** What it was started as; the kernel's own word for it may be the name of a thread. */
function nameOf(process: string): string {
  const [program = ''] = read(`${process}/cmdline`).split('\0');
  const name = basename(program) || read(`${process}/comm`).trim() || 'unknown';
  // A program names itself as it likes: nothing of it may steer a terminal.
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_NAME_LENGTH);
}

function read(path: string): string {
  try {
    const text = readFileSync(path, 'latin1');
    return text.length > MAX_TABLE_BYTES ? '' : text;
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
