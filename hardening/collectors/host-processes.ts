import type { Observation } from '../fact-set.ts';
import type { HostFiles } from './host-files.ts';
import { look } from './look.ts';
import { capabilityNames } from './process/capabilities.ts';

/** With one of these a process reads the memory or the files of every other, or joins its namespaces. */
const REACHING = [
  'SYS_PTRACE',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'SYS_ADMIN',
  'SYS_MODULE',
  'SYS_RAWIO',
  'BPF',
  'CHOWN',
];

/** Whose the node's folder is. */
export interface FolderOwner {
  readonly uid: number;
  readonly gid: number;
}

interface OtherProcess {
  readonly name: string;
  readonly uid: number;
  readonly groups: readonly number[];
  readonly capabilities: readonly string[];
}

/** Processes of accounts other than root that reach into the node: by capabilities, or by the group of its folder. */
export async function observeProcesses(
  host: HostFiles,
  owner: FolderOwner,
  signal: AbortSignal,
): Promise<Record<'host.rulingProcesses' | 'host.groupGuests', Observation>> {
  // One reading for both; a reason why it failed is the reason of both.
  const reading = readProcesses(host);
  reading.catch(() => undefined);
  return {
    'host.rulingProcesses': await look(signal, async () =>
      texts(
        (await reading).map((one) => ({ ...one, reach: one.capabilities.filter((name) => REACHING.includes(name)) })),
        ({ reach }) => reach.length > 0,
        ({ uid, reach }) => `uid ${uid}: ${reach.join(', ')}`,
      ),
    ),
    'host.groupGuests': await look(signal, async () =>
      texts(
        await reading,
        ({ uid, groups }) => uid !== owner.uid && groups.includes(owner.gid),
        ({ uid }) => `uid ${uid}`,
      ),
    ),
  };
}

function texts<T extends OtherProcess>(
  all: readonly T[],
  is: (one: T) => boolean,
  words: (one: T) => string,
): string[] {
  return [...new Set(all.filter(is).map((one) => `${printable(one.name)} (${words(one)})`))].sort();
}

/** Those of this program's user namespace: a capability in another says nothing about this machine. */
async function readProcesses(host: HostFiles): Promise<OtherProcess[]> {
  const pids = ((await host.list('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  if (!pids.includes('1')) throw new Error('this machine hides the processes of other users (hidepid)');
  const own = await host.read('/proc/self/uid_map');
  const found: OtherProcess[] = [];
  for (const pid of pids) {
    const status = (await readLiving(host, `/proc/${pid}/status`))?.toString('utf8');
    if (status === undefined) continue;
    const one = parseStatus(status);
    if (one.uid === 0) continue;
    const map = await readLiving(host, `/proc/${pid}/uid_map`);
    if (map === undefined || own === undefined || map.equals(own)) found.push(one);
  }
  return found;
}

/** Undefined of a process that ended in the meantime. */
async function readLiving(host: HostFiles, path: string): Promise<Buffer | undefined> {
  try {
    return await host.read(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
    throw error;
  }
}

function parseStatus(status: string): OtherProcess {
  const field = (name: string): string => {
    const found = new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1];
    if (found === undefined) throw new Error(`the kernel does not tell ${name}`);
    return found.trim();
  };
  const numbers = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number);
  return {
    name: field('Name'),
    uid: numbers('Uid')[1] ?? 0,
    groups: [...numbers('Gid'), ...numbers('Groups')],
    capabilities: capabilityNames(field('CapEff')),
  };
}

/** A name is whatever its process calls itself. */
function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}
