import type { Collector } from './collector.ts';
import { withoutPrefix } from './container/places.ts';
import { type Document, openDocument } from './document.ts';
import type { EngineApi, EngineNode } from './engine-api.ts';
import { readEngineKind } from './engine-kind.ts';
import { listNeighbours, type Neighbour, split } from './neighbours.ts';
import { type FactsOf, observe } from './observe.ts';
import { hasLabel } from './volumes.ts';

/** Docker's option of a bridge (libnetwork's EnableICC); Podman has none of this meaning. */
export const BETWEEN_CONTAINERS = 'com.docker.network.bridge.enable_icc';

export interface NetworksOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
}

/** The networks of a node, and who is on them. */
export function createNetworksCollector({ api, node }: NetworksOptions): Collector {
  return {
    name: 'networks',
    kinds: ['network'],
    privilege: "read access to the engine's API",
    async collect(signal) {
      const engine = await readEngineKind(api, signal);
      const neighbours = await listNeighbours(api, node, signal);
      const all = openDocument(await api.getJson('/networks', signal)).items();
      const own = all.filter((network) => network.in('Name').text().startsWith(node.prefix) || hasLabel(network, node));
      if (own.length === 0) throw new Error('the engine has no network of this node');
      return own.map((network) => ({
        kind: 'network',
        name: network.in('Name').text(),
        facts: networkFacts(network, neighbours, { node, engine }),
      }));
    },
  };
}

/** Pure. */
function networkFacts(
  network: Document,
  neighbours: readonly Neighbour[],
  { node, engine }: { readonly node: EngineNode; readonly engine: 'docker' | 'podman' },
): FactsOf<'network'> {
  const name = (): string => network.in('Name').text();
  const on = (): { roles: string[]; foreign: string[] } =>
    split(neighbours, ({ networks }) => networks.includes(name()));
  return {
    'network.name': observe(() => withoutPrefix(name(), node.prefix)),
    'network.driver': observe(() => network.in('Driver').text()),
    'network.betweenContainers': observe(
      () => engine === 'podman' || network.in('Options', BETWEEN_CONTAINERS).textOr('true') !== 'false',
    ),
    'network.containers': observe(() => on().roles),
    'network.foreignContainers': observe(() => on().foreign),
    'network.labelled': observe(() => hasLabel(network, node)),
  };
}
