import type { Collector } from '../../hardening/collectors/collector.ts';
import { createConfigurationCollector } from '../../hardening/collectors/configuration.ts';
import { createClusterCollector } from '../../hardening/collectors/kubernetes/cluster.ts';
import type { Release } from '../../hardening/collectors/kubernetes/cluster-api.ts';
import { createLiveWorkloadCollector } from '../../hardening/collectors/kubernetes/live-workload.ts';
import { createNodeCollector } from '../../hardening/collectors/node-itself.ts';
import type { NodeSettings } from '../../hardening/collectors/node-settings.ts';
import { createNodeStatusCollector } from '../../hardening/collectors/node-status.ts';
import type { ClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { createKubectl, type Kubectl } from '../provision/kubernetes/kubectl.ts';
import { openKubectl } from '../provision/kubernetes/open-kubectl.ts';
import { reachGateway } from '../provision/kubernetes/reach-gateway.ts';
import { ROLE_CALLS, ROLE_PORTS } from '../provision/kubernetes/release-labels.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { createClusterApi } from './cluster-api.ts';
import type { OpenCollectors } from './open-collectors.ts';
import { openNodeApi } from './sources/node-api.ts';
import { ownAddresses } from './sources/node-settings.ts';
import { describeNode, type NodeSource } from './sources/node-source.ts';

/** The binary of the images, with which the policies are tried. */
const NODE_BINARY = '/nodejs/bin/node';
const INSIDE = ['image', 'process', 'volume', 'network', 'listener', 'file', 'key', 'engine', 'host'] as const;

/** A node in a cluster, from its home. */
export async function composeKubernetes(source: NodeSource, target: ClusterTarget): Promise<OpenCollectors> {
  const { call, settings } = source;
  const { home, terminal, options } = call;
  const now = (): number => terminal.now();
  const way = await reachGateway(target, terminal).catch(() => undefined);
  const api = way === undefined ? undefined : openNodeApi(home, way.gateway);
  const { namespace, release: name } = target;
  const seen = { release: { namespace, name }, kubectl: openKubectl(target, terminal), probe: options.probe, now };
  return {
    node: describeNode(source, 'kubernetes'),
    collectors: [
      createNodeCollector({
        ...{ target: 'kubernetes', state: api === undefined ? 'stopped' : 'running' },
        ...{ version: target.programVersion, settings },
      }),
      createConfigurationCollector({ settings, ownAddresses: ownAddresses() }),
      createNodeStatusCollector({ settings, now }, { api }),
      ...clusterCollectors(seen),
    ],
    async close() {
      await api?.close();
      await way?.close();
    },
  };
}

/** A release of the cluster that this user's kubectl reaches, without a home: what a GitOps controller has installed. */
export function openReleaseCollectors(
  release: Release,
  { terminal, probe }: { readonly terminal: Terminal; readonly probe: boolean },
): OpenCollectors {
  const settings: Pick<NodeSettings, 'descriptor'> = { descriptor: undefined };
  const kubectl = createKubectl({ namespace: release.namespace }, terminal);
  return {
    node: { id: `${release.namespace}/${release.name}`, target: 'kubernetes', network: '' },
    collectors: [
      createNodeCollector({ target: 'kubernetes', state: 'running', version: VERSION, settings }),
      ...clusterCollectors({ release, kubectl, probe, now: () => terminal.now() }),
    ],
    close: async () => undefined,
  };
}

interface Seen {
  readonly release: Release;
  readonly kubectl: Kubectl;
  readonly probe: boolean;
  readonly now: () => number;
}

function clusterCollectors({ release, kubectl, probe, now }: Seen): Collector[] {
  const api = createClusterApi(kubectl);
  const crossings = { nodeBinary: NODE_BINARY, ports: ROLE_PORTS, allowed: ROLE_CALLS };
  return [
    createLiveWorkloadCollector(release, { api }),
    createClusterCollector(release, { crossings, probe, now }, { api }),
    insideOfPods(),
  ];
}

/** What only somebody inside of the pods, or on their machines, could see: not seen is never a pass. */
function insideOfPods(): Collector {
  return {
    name: 'inside of pods',
    kinds: INSIDE,
    adds: ['node.rolesMissing'],
    privilege: "access to the pods' processes and volumes and to the cluster's machines",
    collect: () => Promise.reject(new Error('the API server does not show what is inside of pods and machines')),
  };
}
