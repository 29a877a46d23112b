import { openDocument } from '../document.ts';
import { listening } from '../process/proc-net.ts';
import type { MachineFiles } from './machine-files.ts';

const PID_FILE = '/run/docker.pid';
const CONFIG_FILE = '/etc/docker/daemon.json';
/** Of a swarm: its own protocols, not the API. */
const SWARM_PORTS = [':2377', ':7946'];

const SHORT: Readonly<Record<string, string>> = { 'log-level': '-l' };

/** How Docker's daemon was started: its flags over its file. The API tells only a part of it. */
export interface Daemon {
  readonly configFile: string;
  flag(name: string, otherwise: boolean): boolean;
  text(name: string): string | undefined;
  /** Whether a list or an object of this name is there and not empty. */
  hasAny(flag: string, key: string): boolean;
  /** `ADDRESS:PORT`, as the kernel has them. */
  tcpListeners(): string[];
}

/** Throws where its flags or its file may not be read: then nothing is known of what they leave out. */
export function readDaemon(machine: MachineFiles): Daemon {
  const pid = pidOf(machine);
  const args = (machine.text(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((arg) => arg !== '');
  if (args.length === 0) throw new Error("the daemon's arguments could not be read");
  const configFile = argument(args, '--config-file') ?? CONFIG_FILE;
  const config = openDocument(JSON.parse(machine.text(configFile)?.trim() || '{}'));

  const daemon: Daemon = {
    configFile,
    flag: (name, otherwise) => {
      const given = argument(args, `--${name}`);
      if (given !== undefined) return given !== 'false' && given !== '0';
      return config.in(name).flagOr(otherwise);
    },
    text: (name) => {
      const short = SHORT[name];
      const flag = argument(args, `--${name}`) ?? (short === undefined ? undefined : argument(args, short));
      const given = flag ?? config.in(name).textOr('');
      return given === '' ? undefined : given;
    },
    hasAny: (flag, key) => argument(args, `--${flag}`) !== undefined || config.in(key).keys().length > 0,
    tcpListeners: () => {
      const metrics = daemon.text('metrics-addr');
      return listenersOf(machine, pid).filter(
        (address) => address !== metrics && !SWARM_PORTS.some((port) => address.endsWith(port)),
      );
    },
  };
  return daemon;
}

function pidOf(machine: MachineFiles): number {
  const pid = Number(machine.text(PID_FILE)?.trim());
  if (Number.isSafeInteger(pid) && pid > 0 && machine.text(`/proc/${pid}/comm`)?.trim() === 'dockerd') return pid;
  const all = machine
    .names('/proc')
    .filter((name) => /^\d+$/.test(name) && machine.text(`/proc/${name}/comm`)?.trim() === 'dockerd');
  if (all.length !== 1) throw new Error(`there are ${all.length} processes called dockerd on this machine`);
  return Number(all[0]);
}

/** `--name=value`, `--name value`; a flag by itself is `true`. */
function argument(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  const found = args[at];
  if (found === undefined) return undefined;
  if (found !== name) return found.slice(name.length + 1);
  const next = args[at + 1];
  return next === undefined || next.startsWith('-') ? 'true' : next;
}

function listenersOf(machine: MachineFiles, pid: number): string[] {
  const sockets = new Set<string>();
  for (const fd of machine.names(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(machine.link(`/proc/${pid}/fd/${fd}`) ?? '')?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    (machine.text(`/proc/${pid}/net/${table}`) ?? '').split('\n').slice(1),
  );
  return listening(lines.filter((line) => sockets.has(line.trim().split(/\s+/)[9] ?? '')));
}
