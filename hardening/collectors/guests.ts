import { realpathSync } from 'node:fs';
import type { Observation, Subject } from '../fact-set.ts';
import type { Collector } from './collector.ts';
import { findContainers } from './container/containers.ts';
import { holdsEngineSocket } from './container/places.ts';
import { type Document, openDocument } from './document.ts';
import type { EngineApi, EngineNode } from './engine-api.ts';
import { observe } from './observe.ts';

/** A machine with more containers than these is looked at in part, which is an error and no pass. */
const MAX_GUESTS = 512;
/** With these a container sees and changes what other containers do. */
const RULING = ['ALL', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_MODULE', 'DAC_READ_SEARCH', 'SYS_RAWIO', 'BPF'];
const NAMESPACES = { PidMode: 'process', NetworkMode: 'network', IpcMode: 'IPC' } as const;

export interface GuestsOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
  /** The node's folder on this machine. */
  readonly home: string;
  /** Its key files; undefined: there may be one, and what names it cannot be read. */
  readonly keyFiles: readonly (string | undefined)[];
}

/** A container of this engine that is none of the node's. */
interface Guest {
  readonly name: string;
  readonly inspection: Document;
  /** Folders of the host that it has: by path, through a volume that is a folder, or as such a volume's place. */
  readonly folders: readonly string[];
}

/** Other containers of the same engine: what they have of the node's places, and whose namespaces they join. */
export function createGuestsCollector({ api, node, home, keyFiles }: GuestsOptions): Collector {
  return {
    name: 'guests',
    kinds: [],
    adds: [
      ...(['container.namespaceGuests', 'node.homeGuests', 'node.keyFileGuests'] as const),
      ...(['engine.socketGuests', 'engine.rulingGuests'] as const),
    ],
    privilege: "read access to the engine's API",
    async collect(signal) {
      const own = await findContainers(api, node, signal);
      const guests = await listGuests(
        api,
        own.map(({ id }) => id),
        signal,
      );
      const having = (holds: (folder: string) => boolean): Observation =>
        observe(() => guests.filter(({ folders }) => folders.some(holds)).map(({ name }) => name));
      const places = [home].flatMap(spellings);
      return [
        ...own.map(
          (container): Subject => ({
            kind: 'container',
            name: container.name,
            facts: { 'container.namespaceGuests': observe(() => joining(guests, container)) },
          }),
        ),
        {
          kind: 'node',
          name: 'node',
          facts: {
            'node.homeGuests': having((folder) => places.some((place) => overlaps(folder, place))),
            'node.keyFileGuests': keyFileGuests(keyFiles, having),
          },
        },
        {
          kind: 'engine',
          name: 'engine',
          facts: {
            'engine.socketGuests': having(holdsEngineSocket),
            'engine.rulingGuests': observe(() => guests.filter(rules).map(({ name }) => name)),
          },
        },
      ];
    },
  };
}

function keyFileGuests(
  keyFiles: GuestsOptions['keyFiles'],
  having: (holds: (folder: string) => boolean) => Observation,
): Observation {
  if (keyFiles.some((path) => path === undefined)) return { error: 'which key file opens the node cannot be read' };
  if (keyFiles.length === 0) return { absent: 'no key file opens the node' };
  const files = keyFiles.flatMap((path) => spellings(path ?? ''));
  // The folder of the file too: what is in it can be taken, or put in its place.
  return having((folder) => files.some((file) => overlaps(folder, file) || folder === parentOf(file)));
}

async function listGuests(api: EngineApi, own: readonly string[], signal: AbortSignal): Promise<Guest[]> {
  const ids = openDocument(await api.getJson('/containers/json?all=true', signal))
    .items()
    .map((item) => item.in('Id').text())
    .filter((id) => !own.includes(id) && /^[0-9a-f]+$/.test(id));
  if (ids.length > MAX_GUESTS) throw new Error(`the engine has more than ${MAX_GUESTS} other containers`);
  const devices = await volumeFolders(api, signal);
  const guests: Guest[] = [];
  for (const id of ids) {
    const inspection = await inspect(api, id, signal);
    if (inspection.isAbsent) continue;
    const mounts = inspection.in('Mounts').items();
    const folders = mounts.flatMap((mount) => [
      mount.in('Source').textOr(''),
      devices.get(mount.in('Name').textOr('')) ?? '',
    ]);
    const name = inspection.in('Name').textOr(id).replace(/^\//, '');
    guests.push({ name, inspection, folders: folders.filter((folder) => folder.startsWith('/')).map(clean) });
  }
  return guests;
}

/** Absent where it was removed in the meantime: an engine answers anything while it removes one. */
async function inspect(api: EngineApi, id: string, signal: AbortSignal): Promise<Document> {
  try {
    return openDocument(await api.getJson(`/containers/${id}/json`, signal));
  } catch (error) {
    signal.throwIfAborted();
    const left = openDocument(await api.getJson('/containers/json?all=true', signal)).items();
    if (left.some((item) => item.in('Id').textOr('') === id)) throw error;
    return openDocument(undefined);
  }
}

/** A volume may be a folder of the host under another name (`type=none,o=bind`). */
async function volumeFolders(api: EngineApi, signal: AbortSignal): Promise<Map<string, string>> {
  const volumes = openDocument(await api.getJson('/volumes', signal))
    .in('Volumes')
    .items();
  return new Map(
    volumes.map((volume) => [volume.in('Name').text(), volume.in('Options', 'device').textOr('')] as const),
  );
}

/** Those that live in a namespace of one of the node's containers, with the namespaces. */
function joining(guests: readonly Guest[], { id, name }: { readonly id: string; readonly name: string }): string[] {
  return guests.flatMap((guest) => {
    const joined = Object.entries(NAMESPACES).filter(([field]) => {
      const [kind, target = ''] = guest.inspection.in('HostConfig', field).textOr('').split(':');
      return kind === 'container' && target !== '' && (id.startsWith(target) || target === id || target === name);
    });
    return joined.length === 0 ? [] : [`${guest.name} (${joined.map(([, word]) => word).join(', ')})`];
  });
}

/** Root of the machine in effect, or the ruler of its processes. */
function rules({ inspection }: Guest): boolean {
  const host = inspection.in('HostConfig');
  const added = host
    .in('CapAdd')
    .texts()
    .map((name) => name.toUpperCase().replace(/^CAP_/, ''));
  return host.in('Privileged').flagOr(false) || added.some((name) => RULING.includes(name));
}

/** As it is written, and as the file system resolves it. */
function spellings(path: string): string[] {
  try {
    return [...new Set([clean(path), realpathSync(path)])];
  } catch {
    return [clean(path)];
  }
}

function clean(path: string): string {
  return path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** One is the other, or holds it. */
function overlaps(a: string, b: string): boolean {
  const within = (path: string, folder: string): boolean =>
    path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
  return within(a, b) || within(b, a);
}
