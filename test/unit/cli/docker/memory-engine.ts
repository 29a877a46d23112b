import { Readable } from 'node:stream';
import { encodeArchive } from '../../../../cli/provision/docker/archive.ts';
import type { Engine } from '../../../../cli/provision/docker/engine.ts';
import type { ContainerBody, ContainerState } from '../../../../cli/provision/docker/engine-containers.ts';
import type { VolumeState } from '../../../../cli/provision/docker/engine-storage.ts';
import { NectarError } from '../../../../protocol/errors.ts';

interface Thing {
  readonly labels: Readonly<Record<string, string>>;
}

export interface MemoryContainer extends Thing {
  readonly id: string;
  readonly body: ContainerBody;
  running: boolean;
  exitCode: number;
}

export interface MemoryEngine {
  readonly engine: Engine;
  readonly containers: Map<string, MemoryContainer>;
  readonly volumes: Map<string, Thing>;
  readonly networks: Map<string, Thing>;
  /** What is in volumes, by its path in a container: `/nectar/config/config.json`. */
  readonly files: Map<string, Uint8Array>;
  /** Calls that change something, in order. */
  readonly changes: string[];
  /** The call that changes something for the n-th time from now on is cut off: before it (kill), or just after it was done. */
  cut(after: number, when: 'before' | 'after'): void;
}

/** An engine in memory, with its rules: names are unique, only what exists can be started, what is in use stays. */
export function memoryEngine(images: readonly string[]): MemoryEngine {
  const containers = new Map<string, MemoryContainer>();
  const volumes = new Map<string, Thing>();
  const networks = new Map<string, Thing>();
  const files = new Map<string, Uint8Array>();
  const changes: string[] = [];
  let left = Number.POSITIVE_INFINITY;
  let when: 'before' | 'after' = 'before';
  let ids = 0;

  async function change<T>(what: string, work: () => T): Promise<T> {
    left -= 1;
    if (left === 0 && when === 'before') throw new Error('killed');
    const result = work();
    changes.push(what);
    if (left === 0) throw new Error('killed');
    return result;
  }
  const byName = (name: string) => containers.get(name) ?? [...containers.values()].find(({ id }) => id === name);
  const must = (name: string): MemoryContainer => {
    const found = byName(name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };
  const labelled = (wanted: readonly string[]) => (thing: Thing) =>
    wanted.every((label) => {
      const [key = '', value] = label.split('=');
      return value === undefined ? key in thing.labels : thing.labels[key] === value;
    });
  const add = <T extends Thing>(map: Map<string, T>, kind: string, name: string, thing: T) =>
    change(`create ${kind} ${name}`, () => {
      if (map.has(name)) throw new Error(`${name} exists`);
      map.set(name, thing);
    });
  const stateOf = ({ body, running, exitCode, labels }: MemoryContainer) =>
    ({
      Config: { Labels: labels },
      Image: body.Image,
      HostConfig: body.HostConfig,
      Mounts: ((body.HostConfig?.Mounts ?? []) as { Target: string; Source: string }[]).map(({ Target, Source }) => ({
        ...{ Destination: Target, Source },
      })),
      RestartCount: 0,
      State: {
        Running: running,
        Paused: false,
        Restarting: false,
        Status: running ? 'running' : 'exited',
        ExitCode: exitCode,
      },
    }) as unknown as ContainerState;

  const engine = {
    url: 'memory',
    containers: {
      find: async (name: string) => (byName(name) === undefined ? undefined : stateOf(must(name))),
      list: async (labels: readonly string[]) =>
        [...containers].flatMap(([name, one]) =>
          labelled(labels)(one)
            ? [{ Id: one.id, Names: [`/${name}`], Labels: one.labels, State: one.running ? 'running' : 'exited' }]
            : [],
        ),
      create: async (body: ContainerBody) => {
        ids += 1;
        const id = `id-${ids}`;
        const labels = body.Labels ?? {};
        await add(containers, 'container', body.name ?? '', { id, body, labels, running: false, exitCode: 0 });
        return id;
      },
      start: (name: string) =>
        change(`start ${name}`, () => {
          must(name).running = true;
        }),
      stop: (name: string) =>
        change(`stop ${name}`, () => {
          must(name).running = false;
        }),
      remove: (name: string) =>
        change(`remove container ${name}`, () => {
          for (const [key, one] of containers) if (key === name || one.id === name) containers.delete(key);
        }),
      wait: async (name: string) => ({ exitCode: must(name).exitCode }),
      logs: async () => [],
      getArchive: async (name: string, path: string) => {
        must(name);
        const found = [...files].filter(([file]) => file === path || file.startsWith(`${path}/`));
        if (found.length === 0)
          throw new NectarError('CLI_ENGINE_REFUSED', {
            engine: 'memory',
            doing: 'reading',
            status: 404,
            reason: path,
          });
        const from = path.length - (path.split('/').at(-1) ?? '').length;
        const entries = found.map(([file, content]) => ({ path: file.slice(from), uid: 0, mode: 0o600, content }));
        return Readable.from([await encodeArchive(entries)]);
      },
      putArchive: (name: string, path: string) =>
        change(`write ${path}`, () => {
          must(name);
        }),
    },
    volumes: {
      find: async (name: string) =>
        volumes.has(name) ? ({ Name: name, Labels: volumes.get(name)?.labels ?? null } as VolumeState) : undefined,
      list: async (labels: readonly string[]) =>
        [...volumes].filter(([, one]) => labelled(labels)(one)).map(([Name, one]) => ({ Name, Labels: one.labels })),
      create: ({ Name = '', Labels = {} }) => add(volumes, 'volume', Name, { labels: Labels }),
      remove: (name: string) =>
        change(`remove volume ${name}`, () => {
          volumes.delete(name);
        }),
    },
    networks: {
      find: async (name: string) =>
        networks.has(name) ? { Name: name, Labels: networks.get(name)?.labels } : undefined,
      list: async (labels: readonly string[]) =>
        [...networks].filter(([, one]) => labelled(labels)(one)).map(([Name]) => ({ Id: Name, Name })),
      create: ({ Name = '', Labels = {} }) => add(networks, 'network', Name, { labels: Labels }),
      remove: (name: string) =>
        change(`remove network ${name}`, () => {
          networks.delete(name);
        }),
    },
    images: { find: async (reference: string) => (images.includes(reference) ? { Id: reference } : undefined) },
    facts: async () => ({ kind: 'docker' }),
    withSignal: () => engine,
  } as unknown as Engine;
  return {
    ...{ engine, containers, volumes, networks, files, changes },
    cut(after, moment) {
      left = after;
      when = moment;
    },
  };
}
