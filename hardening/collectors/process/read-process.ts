import { looksLikeSecret, secretInArguments } from '../../secret-shapes.ts';
import type { ProgramFile, RawProcess, Read } from './raw-process.ts';

/** The part of node:fs that reading takes. */
export interface ProcFiles {
  readFileSync(path: string, encoding: 'utf8'): string;
  readlinkSync(path: string): string;
  readdirSync(path: string): string[];
  statSync(path: string): { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** Where one process is read from: `/proc/1`. */
export interface ProcPlace {
  readonly fs: ProcFiles;
  readonly path: string;
}

/**
 * Everything in this file but `processProgram` stands alone: its text runs in the node of a container, which has no shell and no
 * other program. Values of environment variables and arguments are judged where they are read and do not leave the place.
 */
export function readProcess(proc: ProcPlace, version: string): RawProcess {
  const { fs, path } = proc;
  const text = (name: string): Read<string> => attempt(() => readText(fs, `${path}/${name}`));
  return {
    status: text('status'),
    mountinfo: text('mountinfo'),
    limits: text('limits'),
    interfaces: text('net/dev'),
    label: text('attr/current'),
    bootId: attempt(() => readText(fs, '/proc/sys/kernel/random/boot_id').trim()),
    namespaces: attempt(() => readNamespaces(proc)),
    sockets: attempt(() => readSockets(proc)),
    executable: attempt(() => fs.readlinkSync(`${path}/exe`)),
    files: attempt(() => readFiles(proc)),
    nodeVersion: attempt(() => {
      const isSame = fs.readlinkSync(`${path}/exe`) === fs.readlinkSync('/proc/self/exe');
      if (!isSame) throw new Error('it runs another program than the one that looks');
      return version;
    }),
    secretsInEnvironment: attempt(() =>
      readEnvironment(proc)
        .filter(([name, value]) => looksLikeSecret(name, value))
        .map(([name]) => name),
    ),
    secretsInArguments: attempt(() => secretInArguments(readList(fs, `${path}/cmdline`), looksLikeSecret)),
    weakOptions: attempt(() => readWeakOptions(proc)),
    children: attempt(() => readChildren(proc)),
    openPaths: attempt(() => readOpenPaths(proc)),
    strangers: attempt(() => readStrangers(proc)),
    neighbours: attempt(() => readNeighbours(proc)),
  };
}

/** The program for the node of a container, as an ES module: prints the RawProcess of one process as JSON. */
export function processProgram(pid: number): string {
  const parts = [
    looksLikeSecret,
    secretInArguments,
    readProcess,
    attempt,
    readText,
    readList,
    readEnvironment,
    readNamespaces,
    readSockets,
    readFiles,
    scriptOf,
    readWeakOptions,
    readChildren,
    readOpenPaths,
    readStrangers,
    strangersNow,
    readTable,
    readNeighbours,
  ];
  const call = `${readProcess.name}({ fs, path: '/proc/${pid}' }, process.version)`;
  return `import fs from 'node:fs';\n${parts.join('\n')}\nprocess.stdout.write(JSON.stringify(${call}));\n`;
}

function attempt<T>(read: () => T): Read<T> {
  try {
    return { value: read() };
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    return { error: code ?? message ?? String(error) };
  }
}

function readText(fs: ProcFiles, path: string): string {
  return fs.readFileSync(path, 'utf8').slice(0, 4 * 1024 * 1024);
}

function readList(fs: ProcFiles, path: string): string[] {
  return readText(fs, path)
    .split('\0')
    .filter((item) => item !== '');
}

function readEnvironment({ fs, path }: ProcPlace): [string, string][] {
  return readList(fs, `${path}/environ`).map((entry) => {
    const at = entry.indexOf('=');
    return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
  });
}

function readNamespaces({ fs, path }: ProcPlace): Record<string, string> {
  const names = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup'];
  return Object.fromEntries(names.map((name) => [name, fs.readlinkSync(`${path}/ns/${name}`)]));
}

function readSockets({ fs, path }: ProcPlace): Record<string, string[]> {
  const own = new Set<string>();
  for (const fd of fs.readdirSync(`${path}/fd`)) {
    const link = attempt(() => fs.readlinkSync(`${path}/fd/${fd}`));
    const inode = /^socket:\[(\d+)\]$/.exec('value' in link ? link.value : '')?.[1];
    if (inode !== undefined) own.add(inode);
  }
  const lines: Record<string, string[]> = {};
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const found = attempt(() => fs.readFileSync(`${path}/net/${table}`, 'utf8'));
    // A kernel without IPv6 has no such table.
    if ('error' in found && found.error !== 'ENOENT') throw new Error(`${table}: ${found.error}`);
    const all = 'value' in found ? found.value.split('\n').slice(1) : [];
    lines[table] = all.filter((line) => own.has(line.trim().split(/\s+/)[9] ?? ''));
  }
  return lines;
}

function readFiles(proc: ProcPlace): ProgramFile[] {
  const { fs, path } = proc;
  const programs = [fs.readlinkSync(`${path}/exe`).replace(/ \(deleted\)$/, ''), scriptOf(proc)];
  return programs
    .flatMap((file) => (file === undefined ? [] : [file, file.replace(/\/[^/]*$/, '') || '/']))
    .map((file) => {
      const found = attempt(() => fs.statSync(`${path}/root${file}`));
      if ('value' in found) {
        const { mode, uid, gid } = found.value;
        return { path: file, owner: { mode, uid, gid } };
      }
      if (found.error === 'ENOENT') return { path: file };
      throw new Error(`${file}: ${found.error}`);
    });
}

/** Undefined where node was given its program as text. */
function scriptOf({ fs, path }: ProcPlace): string | undefined {
  const takesValue =
    /^(-r|-C|--(require|import|loader|experimental-loader|conditions|env-file|env-file-if-exists|title))$/;
  const args = readList(fs, `${path}/cmdline`);
  for (let at = 1; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (/^(-e|-p|--eval|--print)(=|$)/.test(arg)) return undefined;
    if (takesValue.test(arg)) at += 1;
    else if (!arg.startsWith('-')) return arg.startsWith('/') ? arg : `${fs.readlinkSync(`${path}/cwd`)}/${arg}`;
  }
  return undefined;
}

/**
 * Options that open a debugger, weaken TLS or HTTP, write memory, keys or traffic to disk or to the log, or load code that is not of
 * the program.
 */
function readWeakOptions(proc: ProcPlace): string[] {
  const weak = [
    /^--inspect(-brk|-wait|-port|-publish-uid)?(=|$)/,
    /^--(insecure-http-parser|allow-natives-syntax|expose-internals|openssl-legacy-provider)(=|$)/,
    /^--(security-revert|tls-min-v1\.[01]|tls-keylog|tls-cipher-list|trace-tls)(=|$)/,
    /^--(abort-on-uncaught-exception|heapsnapshot-signal|heapsnapshot-near-heap-limit|heap-prof)(=|$)/,
    /^--report-(on-fatalerror|on-signal|uncaught-exception)(=|$)/,
    /^(-r|--(require|import|loader|experimental-loader))(=|$)/,
  ];
  const values = new Map(readEnvironment(proc));
  const options = [
    ...readList(proc.fs, `${proc.path}/cmdline`),
    ...(values.get('NODE_OPTIONS') ?? '').split(/\s+/),
  ].filter((option) => weak.some((pattern) => pattern.test(option)));
  const found = options.map((option) => option.replace(/=.*$/s, ''));
  if (values.get('NODE_TLS_REJECT_UNAUTHORIZED') === '0') found.push('NODE_TLS_REJECT_UNAUTHORIZED=0');
  for (const name of ['NODE_DEBUG', 'LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH']) {
    if ((values.get(name) ?? '') !== '') found.push(name);
  }
  // What the loader of every program of its root takes in besides; most machines have no such file.
  const preload = attempt(() => readText(proc.fs, `${proc.path}/root/etc/ld.so.preload`));
  if ('error' in preload && preload.error !== 'ENOENT') throw new Error(`/etc/ld.so.preload: ${preload.error}`);
  if ('value' in preload && preload.value.trim() !== '') found.push('/etc/ld.so.preload');
  return [...new Set(found)];
}

function readChildren({ fs, path }: ProcPlace): string[] {
  return fs
    .readdirSync(`${path}/task`)
    .flatMap((task) => readText(fs, `${path}/task/${task}/children`).split(' '))
    .filter((pid) => pid !== '')
    .map((pid) => readText(fs, `/proc/${pid}/comm`).trim());
}

/** Engines hide a path by mounting something over it. These are what Docker and Podman both hide. */
function readOpenPaths({ fs, path }: ProcPlace): string[] {
  const names = ['acpi', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_list', 'timer_stats'];
  const mounts = readText(fs, `${path}/mountinfo`);
  return [...names.map((name) => `/proc/${name}`), '/sys/firmware'].filter(
    (hidden) => !mounts.includes(` ${hidden} `) && 'value' in attempt(() => fs.statSync(`${path}/root${hidden}`)),
  );
}

function readNeighbours({ fs }: ProcPlace): string[] {
  const seen = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => attempt(() => readText(fs, `/proc/${pid}/comm`).trim()));
  // One that ended in the meantime is none.
  return [...new Set(seen.flatMap((one) => ('value' in one ? [one.value] : [])))];
}

/**
 * Only what stays: an engine that starts a health check is root in the container for a moment, until it has become the program. What
 * calls itself so for longer is told.
 */
function readStrangers(proc: ProcPlace): { name: string; uids: string[] }[] {
  const looks = 20;
  const waitMs = 250;
  let seen = strangersNow(proc);
  for (let look = 1; look < looks && seen.length > 0; look += 1) {
    if (look > 2 && !seen.some(({ name }) => /^(runc|crun)/.test(name))) break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
    const before = seen.map(({ pid }) => pid);
    seen = strangersNow(proc).filter(({ pid }) => before.includes(pid));
  }
  return seen.map(({ name, uids }) => ({ name, uids: [...new Set(uids)] }));
}

/**
 * Not the main process, what it started, this reader, another such reader, or the program itself that an engine or an operator runs
 * for a moment as the same user (a health check, a question).
 */
function strangersNow(proc: ProcPlace): { pid: string; name: string; uids: string[] }[] {
  if (!proc.path.endsWith('/1')) throw new Error('it sees the processes of its host as well');
  const table = readTable(proc);
  const main = table.get('1');
  const [binary = '', script = ''] = main?.argv ?? [];
  const folder = script.slice(0, script.lastIndexOf('/') + 1);
  const own = (table.get(String(globalThis.process.pid))?.argv ?? []).join('\0');
  const isOfMain = (pid: string): boolean => pid === '1' || (table.has(pid) && isOfMain(table.get(pid)?.parent ?? ''));
  const isOurs = ({ argv, uids }: { argv: string[]; uids: string[] }): boolean =>
    uids.join() === main?.uids.join() &&
    ((argv[0] === binary && folder !== '' && argv[1]?.startsWith(folder) === true) ||
      (own !== '' && argv.join('\0') === own));
  return [...table]
    .filter(([pid, one]) => !isOfMain(pid) && !isOurs(one))
    .map(([pid, { name, uids }]) => ({ pid, name, uids }));
}

function readTable({ fs }: ProcPlace): Map<string, { parent: string; name: string; uids: string[]; argv: string[] }> {
  const field = (status: string, name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  const table = new Map<string, { parent: string; name: string; uids: string[]; argv: string[] }>();
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = attempt(() => readText(fs, `/proc/${pid}/status`));
    const argv = attempt(() => readList(fs, `/proc/${pid}/cmdline`));
    // One that ended in the meantime is none.
    if ('error' in status) continue;
    const uids = field(status.value, 'Uid').split(/\s+/);
    const parent = field(status.value, 'PPid');
    table.set(pid, { parent, name: field(status.value, 'Name'), uids, argv: 'value' in argv ? argv.value : [] });
  }
  return table;
}
