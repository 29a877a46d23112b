import { openDocument } from '../../../hardening/collectors/document.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { ClusterTarget } from './cluster-target.ts';
import type { Kubectl } from './kubectl.ts';
import { CLUSTER_ROLES, type ClusterRole, ROLE_LABEL, selectorOf } from './release-labels.ts';

/** The Deployment or StatefulSet of a role. */
export interface RoleSet {
  readonly role: ClusterRole;
  /** `statefulset/clinic-nectar-byon-store` */
  readonly name: string;
  readonly wanted: number;
  readonly ready: number;
}

/** The sets of a release, in the order in which they stop. @throws NectarError CLUSTER_RELEASE_MISSING */
export async function readRoleSets(kubectl: Kubectl, { namespace, release }: ClusterTarget): Promise<RoleSet[]> {
  const answer = await kubectl.json(['get', 'deployments,statefulsets', '-l', selectorOf(release), '-o', 'json']);
  const sets = openDocument(answer, 'sets')
    .in('items')
    .items()
    .flatMap((item): RoleSet[] => {
      const role = CLUSTER_ROLES.find((one) => one === item.in('metadata', 'labels', ROLE_LABEL).textOr(''));
      if (role === undefined) return [];
      return [
        {
          role,
          name: `${item.in('kind').text().toLowerCase()}/${item.in('metadata', 'name').text()}`,
          wanted: item.in('spec', 'replicas').integerOr(1),
          ready: item.in('status', 'readyReplicas').integerOr(0),
        },
      ];
    });
  if (sets.length === 0) throw new NectarError('CLUSTER_RELEASE_MISSING', { namespace, release });
  return STOP_ORDER.flatMap((role) => sets.filter((set) => set.role === role));
}

/** Nobody asks what has stopped before. */
const STOP_ORDER: readonly ClusterRole[] = ['gateway', 'rollup', 'store', 'audit'];

export async function scaleSet(kubectl: Kubectl, { name }: RoleSet, replicas: number): Promise<void> {
  await kubectl.run(['scale', name, `--replicas=${replicas}`]);
}
