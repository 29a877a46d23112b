import type { Observation } from '../fact-set.ts';
import type { Collector } from './collector.ts';
import { isEncrypted, isMountPoint, plainSwap } from './host-disks.ts';
import type { HostFiles } from './host-files.ts';
import { type FolderOwner, observeProcesses } from './host-processes.ts';
import { areUpdatesAutomatic, auditedPaths, hasFirewall, isRebootRequired, isTimeSynchronised } from './host-upkeep.ts';
import { type Absent, look } from './look.ts';
import type { FactsOf } from './observe.ts';

/** Global variable SecureBoot of the UEFI specification: four bytes of attributes, then its value. */
const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
const CORE_PATTERN = '/proc/sys/kernel/core_pattern';

const INTEGERS = {
  'host.aslr': '/proc/sys/kernel/randomize_va_space',
  'host.kptrRestrict': '/proc/sys/kernel/kptr_restrict',
  'host.dmesgRestrict': '/proc/sys/kernel/dmesg_restrict',
  'host.unprivilegedBpf': '/proc/sys/kernel/unprivileged_bpf_disabled',
  'host.ptraceScope': '/proc/sys/kernel/yama/ptrace_scope',
  'host.protectedHardlinks': '/proc/sys/fs/protected_hardlinks',
  'host.protectedSymlinks': '/proc/sys/fs/protected_symlinks',
  'host.suidDumpable': '/proc/sys/fs/suid_dumpable',
  'host.ipForward': '/proc/sys/net/ipv4/ip_forward',
  'host.synCookies': '/proc/sys/net/ipv4/tcp_syncookies',
} as const;

export interface HostOptions {
  /** Where the data lies on this machine, every link resolved; undefined where that cannot be seen. */
  readonly dataFolder: string | undefined;
  /** Whose the node's folder is. */
  readonly owner: FolderOwner;
  /** The engine's data folder on this machine; undefined without an engine. */
  readonly engineFolder: string | undefined;
}

/** The machine under the node, as far as this user sees it. */
export function createHostCollector(options: HostOptions, { host }: { readonly host: HostFiles }): Collector {
  return {
    name: 'host',
    kinds: ['host'],
    privilege: 'read access to /proc, /sys and /etc; root for the rules of packet filter and audit daemon',
    async collect(signal) {
      const facts = {
        ...(await observeSettings(host, signal)),
        ...(await observeKernel(host, signal)),
        ...(await observeProcesses(host, options.owner, signal)),
        ...(await observeDisks(host, options, signal)),
        ...(await observeUpkeep(host, signal)),
      } satisfies FactsOf<'host'>;
      return [{ kind: 'host', name: 'host', facts }];
    },
  };
}

async function observeSettings(
  host: HostFiles,
  signal: AbortSignal,
): Promise<Record<keyof typeof INTEGERS, Observation>> {
  const facts: Partial<Record<keyof typeof INTEGERS, Observation>> = {};
  for (const [fact, path] of Object.entries(INTEGERS)) {
    facts[fact as keyof typeof INTEGERS] = await look(signal, async () => {
      const text = (await host.read(path))?.toString('utf8').trim();
      if (text === undefined) return { absent: `this kernel has no ${path}` };
      if (!/^-?\d+$/.test(text)) throw new Error(`${path} holds no number`);
      return Number(text);
    });
  }
  return facts as Record<keyof typeof INTEGERS, Observation>;
}

async function observeKernel(host: HostFiles, signal: AbortSignal) {
  const text = (path: string): Promise<string> => readText(host, path);
  return {
    'host.kernel': await look(signal, () => text('/proc/sys/kernel/osrelease')),
    'host.operatingSystem': await look(signal, async () => osName(await text('/etc/os-release'))),
    'host.lsm': await look(signal, async () => (await text('/sys/kernel/security/lsm')).split(',')),
    'host.kernelLockdown': await look(signal, async () => {
      const modes = await text('/sys/kernel/security/lockdown');
      return /\[(\w+)\]/.exec(modes)?.[1] ?? modes;
    }),
    'host.vulnerabilities': await look(signal, () => vulnerabilities(host)),
    'host.secureBoot': await look(signal, () => isSecureBoot(host)),
    'host.corePattern': await look(signal, () => text(CORE_PATTERN)),
    'host.coreDumpsStored': await look(signal, async () => isStored(await text(CORE_PATTERN))),
    'host.cgroupVersion': await look(signal, () => cgroupVersion(host)),
  };
}

async function observeDisks(host: HostFiles, { dataFolder, engineFolder }: HostOptions, signal: AbortSignal) {
  return {
    'host.diskEncrypted': await look(signal, async () => {
      if (dataFolder === undefined) throw new Error('where the data lies cannot be seen from here');
      return isEncrypted(host, dataFolder);
    }),
    'host.swapPlain': await look(signal, () => plainSwap(host)),
    'host.separateDataPartition': await look(
      signal,
      async (): Promise<boolean | Absent> =>
        engineFolder === undefined ? { absent: 'no engine is used' } : isMountPoint(host, engineFolder),
    ),
  };
}

async function observeUpkeep(host: HostFiles, signal: AbortSignal) {
  return {
    'host.timeSynchronised': await look(signal, () => isTimeSynchronised(host, signal)),
    'host.rebootRequired': await look(signal, () => isRebootRequired(host)),
    'host.automaticUpdates': await look(signal, () => areUpdatesAutomatic(host)),
    'host.firewall': await look(signal, () => hasFirewall(host, signal)),
    'host.auditRules': await look(signal, () => auditedPaths(host, signal)),
  };
}

async function readText(host: HostFiles, path: string): Promise<string> {
  const bytes = await host.read(path);
  if (bytes === undefined) throw new Error(`there is no ${path}`);
  return bytes.toString('utf8').trim();
}

function osName(text: string): string {
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1];
  if (name === undefined) throw new Error('/etc/os-release names none');
  return name;
}

async function vulnerabilities(host: HostFiles): Promise<string[]> {
  const folder = '/sys/devices/system/cpu/vulnerabilities';
  const names = await host.list(folder);
  if (names === undefined) throw new Error(`there is no ${folder}`);
  const found: string[] = [];
  for (const name of names) if (/^Vulnerable/.test(await readText(host, `${folder}/${name}`))) found.push(name);
  return found;
}

/** A machine that its BIOS booted has none. */
async function isSecureBoot(host: HostFiles): Promise<boolean> {
  if ((await host.list('/sys/firmware/efi')) === undefined) return false;
  const variable = await host.read(SECURE_BOOT);
  if (variable === undefined) throw new Error('the variables of the firmware are not to be seen');
  return variable[4] === 1;
}

/** To a file, or to a program that may keep it; the limit of the process may forbid it all the same. */
function isStored(pattern: string): boolean {
  return !['', '/dev/null', '|/bin/false', '|/usr/bin/false', '|/bin/true', '|/usr/bin/true'].includes(pattern);
}

async function cgroupVersion(host: HostFiles): Promise<number> {
  const names = await host.list('/sys/fs/cgroup');
  if (names === undefined) throw new Error('there is no /sys/fs/cgroup');
  return names.includes('cgroup.controllers') ? 2 : 1;
}
