import type { Collector } from './collector.ts';
import { withoutPrefix } from './container/places.ts';
import { type Document, openDocument } from './document.ts';
import type { EngineApi, EngineNode } from './engine-api.ts';
import { listNeighbours, type Neighbour, split } from './neighbours.ts';
import { type FactsOf, observe } from './observe.ts';

/** What a search of the bytes adds (plaintext.ts). */
export type Searched = 'volume.canaries' | 'volume.scannedBytes' | 'volume.plaintextMarkers';

export interface VolumesOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
}

/** The volumes of a node, and who mounts them. */
export function createVolumesCollector({ api, node }: VolumesOptions): Collector {
  return {
    name: 'volumes',
    kinds: ['volume'],
    privilege: "read access to the engine's API",
    async collect(signal) {
      const neighbours = await listNeighbours(api, node, signal);
      const all = openDocument(await api.getJson('/volumes', signal))
        .in('Volumes')
        .items();
      const own = all.filter((volume) => volume.in('Name').text().startsWith(node.prefix) || hasLabel(volume, node));
      if (own.length === 0) throw new Error('the engine has no volume of this node');
      return own.map((volume) => ({
        kind: 'volume',
        name: volume.in('Name').text(),
        facts: volumeFacts(volume, neighbours, node),
      }));
    },
  };
}

/** Pure. */
function volumeFacts(
  volume: Document,
  neighbours: readonly Neighbour[],
  node: EngineNode,
): FactsOf<'volume', Searched> {
  const name = (): string => volume.in('Name').text();
  const mounted = (): { roles: string[]; foreign: string[] } => {
    const place = volume.in('Mountpoint').text();
    return split(neighbours, ({ mounts, role }) =>
      // A folder of the host that holds the volume is a way into it as well.
      mounts.some((mount) => mount.volume === name() || (role === undefined && overlaps(mount.source, place))),
    );
  };
  return {
    'volume.name': observe(() => withoutPrefix(name(), node.prefix)),
    'volume.driver': observe(() => volume.in('Driver').text()),
    'volume.inMemory': observe(() => volume.in('Options', 'type').textOr('') === 'tmpfs'),
    'volume.options': observe(() =>
      volume
        .in('Options', 'o')
        .textOr('')
        .split(',')
        .filter((option) => option !== ''),
    ),
    'volume.mountedIn': observe(() => mounted().roles),
    'volume.writableIn': observe(
      () => split(neighbours, ({ mounts }) => mounts.some((mount) => mount.volume === name() && mount.writable)).roles,
    ),
    'volume.foreignContainers': observe(() => mounted().foreign),
    'volume.labelled': observe(() => hasLabel(volume, node)),
  };
}

/** Whether an object of the engine carries the labels of a node. */
export function hasLabel(object: Document, { labels, nodeId }: EngineNode): boolean {
  const value = (label: string): string => object.in('Labels', label).textOr('');
  return value(labels.node) === nodeId && value(labels.role) !== '' && value(labels.version) !== '';
}

function overlaps(source: string, place: string): boolean {
  const within = (path: string, folder: string): boolean =>
    path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
  return source !== '' && place !== '' && (within(source, place) || within(place, source));
}
