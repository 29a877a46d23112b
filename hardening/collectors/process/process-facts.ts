import type { Observation } from '../../fact-set.ts';
import { type FactsOf, observe } from '../observe.ts';
import { capabilityNames } from './capabilities.ts';
import { type MountEntry, mountOf, parseMountInfo } from './mount-info.ts';
import { bound, listening } from './proc-net.ts';
import type { ProgramFile, RawProcess, Read } from './raw-process.ts';

const KIB = 1024;
/** Where node listens for a debugger unless told otherwise, also after SIGUSR1. */
const DEBUG_PORT = 9229;
const KERNEL_FOLDERS = ['/proc', '/sys', '/dev'];
/** Of the weak options, those that bring code with them. */
const LOADING = [
  ...['LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', '/etc/ld.so.preload'],
  ...['-r', '--require', '--import', '--loader', '--experimental-loader'],
];
const SECURITY_MODULE_ABSENT = ['EINVAL', 'ENOENT'];

/** A name is whatever its process calls itself. */
function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}

/** The namespaces of the host on which a process runs. */
export type HostNamespaces = Read<{
  readonly bootId: string;
  readonly namespaces: Readonly<Record<string, string>>;
}>;

/** What the kernel says of one process. Pure. */
export function processFacts(raw: RawProcess, role: string, host: HostNamespaces): FactsOf<'process'> {
  return {
    'process.role': { value: role },
    ...identityFacts(raw),
    ...placeFacts(raw),
    ...memoryFacts(raw),
    ...programFacts(raw),
    'process.hostNamespaces': observe(() => shared(raw, host)),
    'process.networkInterfaces': observe(() => interfaces(get(raw.interfaces))),
    'process.tcpListeners': observe(() => tcpListeners(raw)),
    'process.udpSockets': observe(() => {
      const { udp = [], udp6 = [] } = get(raw.sockets);
      return bound([...udp, ...udp6]);
    }),
  };
}

/** What was read; throws why it was not. */
function get<T>(read: Read<T>): T {
  if ('error' in read) throw new Error(`/proc could not be read: ${read.error}`);
  return read.value;
}

function field({ status }: RawProcess, name: string): string {
  const found = new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(get(status))?.[1];
  if (found === undefined) throw new Error(`the kernel does not tell ${name}`);
  return found.trim();
}

function number(raw: RawProcess, name: string, pattern = /^\d+$/): number {
  const text = field(raw, name);
  if (!pattern.test(text)) throw new Error(`${name} is no number`);
  return Number.parseInt(text, 10);
}

const ids = (raw: RawProcess, name: string): string[] => field(raw, name).split(/\s+/).filter(Boolean);

function identityFacts(raw: RawProcess) {
  const capabilities = (name: string): Observation => observe(() => capabilityNames(field(raw, name)));
  return {
    'process.uids': observe(() => ids(raw, 'Uid')),
    'process.root': observe(() => [...ids(raw, 'Uid'), ...ids(raw, 'Gid')].includes('0')),
    'process.groups': observe(() => ids(raw, 'Groups')),
    'process.capabilitiesEffective': capabilities('CapEff'),
    'process.capabilitiesPermitted': capabilities('CapPrm'),
    'process.capabilitiesInheritable': capabilities('CapInh'),
    'process.capabilitiesBounding': capabilities('CapBnd'),
    'process.capabilitiesAmbient': capabilities('CapAmb'),
    'process.noNewPrivs': observe(() => number(raw, 'NoNewPrivs') === 1),
    'process.seccompMode': observe(() => number(raw, 'Seccomp')),
    'process.seccompFilters': observe(() => number(raw, 'Seccomp_filters')),
    'process.appArmor': observe(() => appArmor(raw.label)),
    'process.traced': observe(() => number(raw, 'TracerPid') !== 0),
  };
}

/** A context of SELinux (`user:role:type:level`) is no label of AppArmor. */
function appArmor(label: Read<string>): string {
  if ('error' in label && SECURITY_MODULE_ABSENT.includes(label.error)) return '';
  const text = get(label).replaceAll('\0', '').trim();
  return /^[^:\s]+:[^:\s]+:[^:\s]+(:|$)/.test(text) ? '' : text;
}

function placeFacts(raw: RawProcess) {
  const mounts = (): MountEntry[] => parseMountInfo(get(raw.mountinfo));
  const writable = (): MountEntry[] => mounts().filter(({ readOnly, point }) => !readOnly && !isKernels(point));
  return {
    'process.rootReadOnly': observe(() => {
      const root = mounts().find(({ point }) => point === '/');
      if (root === undefined) throw new Error('its mount namespace shows no root');
      return root.readOnly;
    }),
    'process.writableMounts': observe(() => writable().map(({ point }) => point)),
    'process.execWritableMounts': observe(() =>
      writable()
        .filter(({ noexec }) => !noexec)
        .map(({ point }) => point),
    ),
    'process.executableWritable': observe(() => {
      const all = mounts();
      return get(raw.files).some((file) => mayWrite(raw, file, all));
    }),
  };
}

function isKernels(point: string): boolean {
  return KERNEL_FOLDERS.some((folder) => point === folder || point.startsWith(`${folder}/`));
}

/** An owner that may not write may permit it to itself. */
function mayWrite(raw: RawProcess, { path, owner }: ProgramFile, mounts: readonly MountEntry[]): boolean {
  if (owner === undefined || mountOf(path, mounts)?.readOnly === true) return false;
  const { mode, uid, gid } = owner;
  const groups = [...ids(raw, 'Gid'), ...ids(raw, 'Groups')];
  return (
    ids(raw, 'Uid').includes(String(uid)) ||
    (groups.includes(String(gid)) && (mode & 0o020) !== 0) ||
    (mode & 0o002) !== 0 ||
    capabilityNames(field(raw, 'CapEff')).includes('DAC_OVERRIDE')
  );
}

function memoryFacts(raw: RawProcess) {
  const kib = (name: string): Observation => observe(() => KIB * number(raw, name, /^\d+ kB$/));
  return {
    'process.openFilesSoft': observe(() => softLimit(raw, 'Max open files')),
    'process.coreLimitBytes': observe(() => softLimit(raw, 'Max core file size')),
    'process.lockedMemoryBytes': kib('VmLck'),
    'process.swappedBytes': kib('VmSwap'),
    'process.memoryBytes': kib('VmRSS'),
    'process.threads': observe(() => number(raw, 'Threads')),
    'process.umask': observe(() => Number.parseInt(String(number(raw, 'Umask', /^[0-7]+$/)), 8)),
  };
}

/** -1 for unlimited. */
function softLimit({ limits }: RawProcess, name: string): number {
  const soft = new RegExp(`^${name} +(unlimited|\\d+) `, 'm').exec(get(limits))?.[1];
  if (soft === undefined) throw new Error(`the kernel does not tell the limit of ${name}`);
  return soft === 'unlimited' ? -1 : Number(soft);
}

function programFacts(raw: RawProcess) {
  return {
    'process.debugPort': observe(
      () =>
        get(raw.weakOptions).some((option) => option.startsWith('--inspect')) ||
        tcpListeners(raw).some((address) => address.endsWith(`:${DEBUG_PORT}`)),
    ),
    'process.secretsInEnvironment': observe(() => get(raw.secretsInEnvironment)),
    'process.secretsInArguments': observe(() => get(raw.secretsInArguments)),
    'process.deletedExecutable': observe(
      () => get(raw.executable).endsWith(' (deleted)') || get(raw.files).some(({ owner }) => owner === undefined),
    ),
    'process.children': observe(() => get(raw.children)),
    'process.strangers': observe(() =>
      get(raw.strangers).map(({ name, uids }) => `${printable(name)} (uid ${uids.join(' ')})`),
    ),
    'process.nodeVersion': observe(() => get(raw.nodeVersion).replace(/^v/, '')),
    'process.nodeOptions': observe(() => get(raw.weakOptions).filter((option) => !LOADING.includes(option))),
    'process.injectedCode': observe(() => get(raw.weakOptions).filter((option) => LOADING.includes(option))),
  };
}

/** Numbers of namespaces mean something within one kernel only. */
function shared(raw: RawProcess, host: HostNamespaces): string[] {
  if ('error' in host) throw new Error(`the host's namespaces are not known: ${host.error}`);
  const own = get(raw.namespaces);
  if (get(raw.bootId) !== host.value.bootId) throw new Error('it runs on another machine than the one that looks');
  return Object.keys(own).filter((name) => own[name] === host.value.namespaces[name]);
}

function interfaces(text: string): string[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
}

function tcpListeners(raw: RawProcess): string[] {
  const { tcp = [], tcp6 = [] } = get(raw.sockets);
  return listening([...tcp, ...tcp6]);
}
