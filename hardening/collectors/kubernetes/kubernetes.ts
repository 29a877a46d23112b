import type { Subject } from '../../fact-set.ts';
import type { Collector } from '../collector.ts';
import { type FactsOf, forEach, observe } from '../observe.ts';
import { type KubeObject, type ManifestText, parseManifests } from './manifests.ts';
import { podConfinementFacts } from './pod-confinement.ts';
import { podPlaceFacts } from './pod-places.ts';
import { podProgramFacts } from './pod-program.ts';
import { containersOf, type PodContainer, podsOf } from './pods.ts';
import { inNamespace, workloadFacts } from './workload.ts';

export interface ManifestsOptions {
  /** YAML or JSON of each source: a file, or stdin. */
  readonly read: (signal: AbortSignal) => Promise<readonly ManifestText[]>;
}

/** Containers and workloads of rendered manifests: judged before anything of them is installed. */
export function createManifestsCollector({ read }: ManifestsOptions): Collector {
  return {
    name: 'manifests',
    kinds: ['container', 'workload'],
    privilege: 'the rendered manifests',
    async collect(signal) {
      const objects = (await read(signal)).flatMap(parseManifests);
      const pods = podsOf(objects);
      if (pods.length === 0) throw new Error('the manifests have no pod');
      const containers = pods.flatMap(containersOf).map(
        (container): Subject => ({
          kind: 'container',
          name: nameOf(container),
          ...(container.pod.owner.source !== undefined && { source: container.pod.owner.source }),
          facts: podContainerFacts(container, objects),
        }),
      );
      const namespaces = [...new Set(pods.map(({ namespace }) => namespace))];
      const workloads = namespaces.map(
        (namespace): Subject => ({
          kind: 'workload',
          name: namespace || 'release',
          facts: workloadFacts(inNamespace(objects, namespace), namespace),
        }),
      );
      return [...containers, ...workloads];
    },
  };
}

function nameOf({ pod, name }: PodContainer): string {
  const owner = `${pod.owner.kind.toLowerCase()}/${pod.owner.name}/${name}`;
  return pod.namespace === '' ? owner : `${pod.namespace}/${owner}`;
}

/** Pure. */
export function podContainerFacts(container: PodContainer, objects: readonly KubeObject[]): FactsOf<'container'> {
  return {
    ...podProgramFacts(container),
    ...podConfinementFacts(container),
    ...podPlaceFacts(container),
    'container.automountServiceAccountToken': observe(() => mountsToken(container, objects)),
    ...forEach(
      [
        'container.hostCgroup',
        'container.cgroupParent',
        'container.networks',
        'container.onDefaultBridge',
        'container.swapBytes',
        'container.cpuShares',
        'container.pidsLimit',
        'container.openFilesLimit',
        'container.logDriver',
        'container.logMaxBytes',
        'container.init',
        'container.specDrift',
        'container.namespaceGuests',
        'container.drift',
      ] as const,
      { absent: 'Kubernetes leaves it to its nodes: no manifest says it' },
    ),
  };
}

/** The pod's word, else its service account's, else yes. */
function mountsToken({ pod }: PodContainer, objects: readonly KubeObject[]): boolean {
  const own = pod.spec.in('automountServiceAccountToken');
  if (!own.isAbsent) return own.flag();
  const name = pod.spec.in('serviceAccountName').textOr('') || 'default';
  const account = objects.find(
    (object) => object.kind === 'ServiceAccount' && object.name === name && object.namespace === pod.namespace,
  );
  return account?.document.in('automountServiceAccountToken').flagOr(true) ?? true;
}
