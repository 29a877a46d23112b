import type { Observation } from '../../fact-set.ts';
import type { Collector } from '../collector.ts';
import { type FactsOf, unseen } from '../observe.ts';
import { accessFacts } from './access-facts.ts';
import { flagFacts, kubeletFacts, versionFacts } from './api-server.ts';
import type { ClusterApi, Release } from './cluster-api.ts';
import type { KubeObject } from './manifests.ts';
import { namespaceNeighbours, nodeNeighbours, volumePathsOf } from './neighbours.ts';
import { type Crossings, reachedDespitePolicy } from './policy-probe.ts';
import { isAlive, type NamespaceObjects, readAccess, readNamespace } from './release-objects.ts';

export interface ClusterContext {
  readonly crossings: Crossings;
  /** False: nothing is run in a pod. */
  readonly probe: boolean;
  readonly now: () => number;
}

/** Nodes whose kubelets are asked: a large cluster has thousands, of which few run the node's pods. */
const MAX_NODES = 16;

/** A pod that the standard "restricted" refuses; it is never made. */
const privilegedPod = (namespace: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'nectar-admission-probe-', namespace },
  spec: {
    containers: [{ name: 'probe', image: 'probe', securityContext: { privileged: true, runAsUser: 0 } }],
  },
});

/** What surrounds a release in its cluster: who else has access, who lives beside it, what the cluster enforces. */
export function createClusterCollector(
  release: Release,
  context: ClusterContext,
  { api }: { readonly api: ClusterApi },
): Collector {
  return {
    name: 'cluster',
    kinds: ['cluster'],
    privilege:
      'read access to the access rules, pods and volumes of the cluster and to the kubelets through the API server; to create pods as a dry run; to run a program in the pods of the release',
    async collect(signal) {
      const found = await readNamespace(api, release, signal);
      const look = <T>(work: Promise<T>): Promise<T | Error> =>
        work.catch((error: Error) => {
          signal.throwIfAborted();
          return error;
        });
      const all = await look(api.list('pods', 'cluster', signal));
      const volumes = await look(api.list('persistentvolumes', 'cluster', signal));
      const volumePaths = volumes instanceof Error ? [] : volumePathsOf(volumes, release);
      const facts: FactsOf<'cluster'> = {
        ...versionFacts(await look(api.get('/version', signal)), context.now()),
        ...accessFacts(await look(readAccess(api, signal))),
        ...namespaceNeighbours(found, release),
        ...nodeNeighbours(all, found, { release, volumePaths }),
        ...flagFacts(all),
        ...kubeletFacts(await look(askKubelets(api, found, signal))),
        'cluster.anonymousStatus': await answerOf(
          api.anonymousStatus(`/api/v1/namespaces/${release.namespace}/secrets`, signal),
        ),
        'cluster.privilegedAdmitted': await answerOf(admitsPrivileged(api, release, signal)),
        'cluster.reachedDespitePolicy': context.probe
          ? await answerOf(reachedDespitePolicy(found.pods.filter(isAlive), context.crossings, { api, signal }))
          : { error: 'not probed (--no-probe)' },
      };
      signal.throwIfAborted();
      return [{ kind: 'cluster', name: 'cluster', facts }];
    },
  };
}

async function answerOf(work: Promise<number | boolean | readonly string[]>): Promise<Observation> {
  try {
    const value = await work;
    return { value: Array.isArray(value) ? [...new Set(value)].sort() : value } as Observation;
  } catch (error) {
    return unseen(error);
  }
}

/** @throws where the user may not make pods: nobody knows then what would have become of it */
async function admitsPrivileged(api: ClusterApi, { namespace }: Release, signal: AbortSignal): Promise<boolean> {
  const refusal = await api.refusalOf(privilegedPod(namespace), signal);
  if (refusal === undefined) return true;
  if (/cannot create resource/.test(refusal)) throw new Error(refusal);
  return false;
}

async function askKubelets(
  api: ClusterApi,
  { pods }: NamespaceObjects,
  signal: AbortSignal,
): Promise<Map<string, unknown>> {
  const nodes = [...new Set(pods.map(nodeOf))].filter((node) => node !== '').sort();
  if (nodes.length === 0) throw new Error('no pod of the release is on a node yet');
  const answers = new Map<string, unknown>();
  for (const node of nodes.slice(0, MAX_NODES))
    answers.set(node, await api.get(`/api/v1/nodes/${node}/proxy/configz`, signal));
  return answers;
}

function nodeOf({ document }: KubeObject): string {
  return document.in('spec', 'nodeName').textOr('');
}
