import fs from 'node:fs';
import type { Observation, Subject } from '../../fact-set.ts';
import { FACTS, type FactIdOf } from '../../facts/index.ts';
import type { Collector } from '../collector.ts';
import { type FoundContainer, findContainers } from '../container/containers.ts';
import { openDocument } from '../document.ts';
import type { EngineApi, EngineNode } from '../engine-api.ts';
import { type FactsOf, forEach, observe, unseen } from '../observe.ts';
import { readHostNamespaces } from './host-namespaces.ts';
import { type HostNamespaces, processFacts } from './process-facts.ts';
import { parseRawProcess, type RawProcess } from './raw-process.ts';
import { processProgram, readProcess } from './read-process.ts';

const SSH_SERVER = /^(sshd|dropbear)/;
const FACT_IDS = Object.keys(FACTS).filter((id): id is FactIdOf<'process'> => id.startsWith('process.'));

export interface ContainerProcessesOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
  /** The node binary in the containers. */
  readonly nodeBinary: string;
  /** Those of this machine, unless told. */
  readonly host?: HostNamespaces;
}

/** The main process of each container, seen from inside by the container's own node: there is no other program in it. */
export function createContainerProcessesCollector(options: ContainerProcessesOptions): Collector {
  const { api, node, nodeBinary, host = readHostNamespaces(fs) } = options;

  async function look({ id, role }: FoundContainer, signal: AbortSignal): Promise<LookedAt> {
    try {
      const pid = await mainProcess(api, id, signal);
      const program = processProgram(pid);
      const { stdout, exitCode } = await api.exec(id, [nodeBinary, '--input-type=module', '-e', program], signal);
      if (exitCode !== 0) throw new Error(`looking from inside ended with exit code ${exitCode}`);
      const raw = parseRawProcess(stdout);
      return { facts: processFacts(raw, role, host), ofContainer: addedFacts(pid, raw) };
    } catch (error) {
      signal.throwIfAborted();
      const { error: reason } = unseen(error);
      return {
        facts: { ...forEach(FACT_IDS, { error: reason }), 'process.role': { value: role } },
        ofContainer: forEach(['container.sshServer', 'container.procMount'], { error: reason }),
      };
    }
  }

  return {
    name: 'processes',
    kinds: ['process'],
    adds: ['container.sshServer', 'container.procMount'],
    privilege: "the engine's API, to run one program in each container as the container's own user",
    async collect(signal) {
      const subjects: Subject[] = [];
      for (const found of await findContainers(api, node, signal)) {
        const { name } = found;
        if (!found.running) {
          const absent = { 'container.sshServer': { absent: 'it does not run' } };
          subjects.push({ kind: 'container', name, facts: absent });
          continue;
        }
        const { facts, ofContainer } = await look(found, signal);
        subjects.push({ kind: 'process', name, facts }, { kind: 'container', name, facts: ofContainer });
      }
      return subjects;
    },
  };
}

/** Its number as the container sees it: 1, unless it shares the process namespace of its host. */
async function mainProcess(api: EngineApi, id: string, signal: AbortSignal): Promise<number> {
  const container = openDocument(await api.getJson(`/containers/${id}/json`, signal));
  const mode = container.in('HostConfig', 'PidMode').textOr('');
  if (mode.startsWith('container:')) throw new Error('it shares the process namespace of another container');
  return mode === 'host' ? container.in('State', 'Pid').integer() : 1;
}

interface LookedAt {
  readonly facts: FactsOf<'process'>;
  readonly ofContainer: Record<'container.sshServer' | 'container.procMount', Observation>;
}

export interface LocalProcessOptions {
  /** Of the process on this machine; undefined where none runs. */
  readonly pid: number | undefined;
  /** `all`: every role in one process. */
  readonly role: string;
}

/** The one process of a node that needs no engine. */
export function createLocalProcessCollector({ pid, role }: LocalProcessOptions): Collector {
  return {
    name: 'processes',
    kinds: ['process'],
    privilege: 'the user that the process runs as, or root',
    ...(pid === undefined && { notApplicable: 'the node does not run' }),
    async collect() {
      const proc = { fs, path: `/proc/${pid}` };
      if (!fs.existsSync(proc.path)) throw new Error(`there is no process ${pid}`);
      const facts = processFacts(readProcess(proc, process.version), role, readHostNamespaces(fs));
      return [{ kind: 'process', name: role, facts }];
    },
  };
}

/** What of a container is seen from inside only, or what its engine does not tell. */
function addedFacts(pid: number, raw: RawProcess): LookedAt['ofContainer'] {
  return {
    'container.sshServer': observe(() => hasSshServer(pid, raw)),
    'container.procMount': observe(() => {
      if ('error' in raw.openPaths) throw new Error(raw.openPaths.error);
      return raw.openPaths.value.length === 0 ? 'Default' : 'Unmasked';
    }),
  };
}

function hasSshServer(pid: number, { neighbours }: RawProcess): boolean {
  if (pid !== 1) throw new Error('it sees the processes of its host as well');
  if ('error' in neighbours) throw new Error(neighbours.error);
  return neighbours.value.some((name) => SSH_SERVER.test(name));
}
