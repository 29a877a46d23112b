import type { Observation, Subject } from '../../fact-set.ts';
import type { Collector } from '../collector.ts';
import { forEach, observe, unseen } from '../observe.ts';
import type { ClusterApi, Release } from './cluster-api.ts';
import { podContainerFacts } from './kubernetes.ts';
import type { KubeObject } from './manifests.ts';
import { containersOf, type PodContainer, podsOf } from './pods.ts';
import { accessOfRelease, isOwn, type NamespaceObjects, readAccess, readNamespace } from './release-objects.ts';
import { workloadFacts } from './workload.ts';

const ACCESS_FACTS = [
  'workload.roleVerbsWild',
  'workload.clusterRoles',
  'workload.secretReads',
  'workload.podExec',
] as const;

/** Containers and workload of a release as the cluster has admitted them, whoever rendered or changed them. */
export function createLiveWorkloadCollector(release: Release, { api }: { readonly api: ClusterApi }): Collector {
  return {
    name: 'release',
    kinds: ['container', 'workload'],
    privilege: `read access to the objects of the namespace ${release.namespace} and to the cluster's access rules`,
    async collect(signal) {
      const found = await readNamespace(api, release, signal);
      if (found.pods.length === 0)
        throw new Error(`the namespace ${release.namespace} has no pod of the release ${release.name}`);
      const access = await readAccess(api, signal).catch((error: Error) => error);
      signal.throwIfAborted();
      const own = objectsOf(found, release);
      const containers = podsOf(found.pods)
        .flatMap(containersOf)
        .map((container): Subject => liveContainer(container, own));
      const rules = access instanceof Error ? [] : accessOfRelease(access, found.pods, release);
      const facts = {
        ...workloadFacts([...own, ...rules], release.namespace),
        'workload.unknownKinds': { absent: 'only kinds that are judged were asked for' },
        ...(access instanceof Error && forEach(ACCESS_FACTS, unseen(access))),
        ...(found.namespace === undefined && {
          'workload.podSecurity': { error: 'the namespace may not be read' } as Observation,
        }),
      };
      return [...containers, { kind: 'workload', name: release.namespace, facts }];
    },
  };
}

/** Policies of the namespace count whoever made them; of the rest, what is the release's. */
function objectsOf({ namespace, all, pods }: NamespaceObjects, release: Release): KubeObject[] {
  const own = [...all.services, ...all.configmaps, ...all.poddisruptionbudgets].filter((object) =>
    isOwn(object, release),
  );
  return [
    ...(namespace === undefined ? [] : [namespace]),
    ...pods,
    ...own,
    ...all.networkpolicies,
    ...all.serviceaccounts,
  ];
}

function liveContainer(container: PodContainer, objects: readonly KubeObject[]): Subject {
  const { pod, name, kind } = container;
  const status = (): ReturnType<PodContainer['document']['in']> | undefined =>
    ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']
      .flatMap((list) => pod.owner.document.in('status', list).items())
      .find((one) => one.in('name').text() === name);
  const endsItself = kind === 'init' || kind === 'ephemeral';
  return {
    kind: 'container',
    name: `${pod.namespace}/pod/${pod.owner.name}/${name}`,
    facts: {
      ...podContainerFacts(container, objects),
      'container.running': endsItself
        ? { absent: 'it ends by itself' }
        : observe(() => status()?.in('state', 'running').isAbsent === false),
      'container.health': endsItself
        ? { absent: 'it ends by itself' }
        : observe(() => (status()?.in('ready').flagOr(false) === true ? 'healthy' : 'unhealthy')),
      ...forEach(['container.sshServer', 'container.writtenPaths'] as const, {
        error: 'the API server does not show what is inside of a container',
      }),
    },
  };
}
