import { type Document, openDocument } from '../../../hardening/collectors/document.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { requireClusterTarget } from '../../provision/kubernetes/cluster-target.ts';
import type { Kubectl } from '../../provision/kubernetes/kubectl.ts';
import { openKubectl } from '../../provision/kubernetes/open-kubectl.ts';
import { readPods } from '../../provision/kubernetes/pod-states.ts';
import { ROLE_LABEL, selectorOf } from '../../provision/kubernetes/release-labels.ts';
import type { ReleaseName } from '../../provision/kubernetes/release-names.ts';
import { VOLUME_ROLES, type VolumeRole, withVolumePods } from '../../provision/kubernetes/volume-pods.ts';
import { READ_VOLUMES } from '../../provision/kubernetes/volume-programs.ts';
import type { Terminal } from '../../terminal.ts';
import { type OpenVolumes, volumesOver } from './open-volumes.ts';
import { createPodReader } from './pod-reader.ts';

/** What lies elsewhere than in containers: the first part of a path, and which role has it, under which name. */
const PLACES: Readonly<Record<string, { readonly role: VolumeRole; readonly folder: string }>> = {
  keys: { role: 'store', folder: 'keys' },
  store: { role: 'store', folder: 'store' },
  audit: { role: 'audit', folder: 'audit' },
  rollup: { role: 'rollup', folder: 'rollup' },
};

/** What several gateways share lies with the store, as texts of its shelf. */
const SHARED: Readonly<Record<string, string>> = { 'gateway/tokens.json': 'store/gateway/tokens' };

/** The volumes of a node in a cluster, read by a pod beside each role for as long as `work` takes; the node may run. */
export async function withClusterVolumes<T>(
  { home, terminal }: { readonly home: string; readonly terminal: Terminal },
  work: (volumes: OpenVolumes) => Promise<T>,
): Promise<T> {
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  const sets = await readVolumeSets(kubectl, target);
  const pods = (await readPods(kubectl, target)).filter(({ phase }) => phase === 'Running');
  const running = VOLUME_ROLES.filter((role) => pods.some((pod) => pod.role === role));
  return withVolumePods(kubectl, { name: target, sets, write: false, running }, ({ start }) => {
    const readers = new Map(
      VOLUME_ROLES.map((role) => [role, createPodReader(() => start(role, READ_VOLUMES))] as const),
    );
    return work(
      volumesOver(async (path) => {
        const [first = '', ...rest] = (SHARED[path] ?? path).split('/');
        const place = PLACES[first];
        return place && readers.get(place.role)?.tar([place.folder, ...rest].join('/'));
      }),
    );
  });
}

/** @throws NectarError CLUSTER_RELEASE_MISSING where not every role with a volume has its set */
export async function readVolumeSets(
  kubectl: Kubectl,
  { namespace, release }: ReleaseName,
): Promise<Map<VolumeRole, Document>> {
  const answer = await kubectl.json(['get', 'statefulsets', '-l', selectorOf(release), '-o', 'json']);
  const sets = setsByRole(openDocument(answer, 'sets').in('items').items());
  if (sets.size < VOLUME_ROLES.length) throw new NectarError('CLUSTER_RELEASE_MISSING', { namespace, release });
  return sets;
}

export function setsByRole(items: readonly Document[]): Map<VolumeRole, Document> {
  return new Map(
    VOLUME_ROLES.flatMap((role): [VolumeRole, Document][] => {
      const set = items.find((item) => item.in('metadata', 'labels', ROLE_LABEL).textOr('') === role);
      return set === undefined ? [] : [[role, set]];
    }),
  );
}
