import { NectarError } from '../../../protocol/errors.ts';
import type { Check } from '../../preflight.ts';
import type { Terminal } from '../../terminal.ts';
import { requireClusterTarget } from './cluster-target.ts';
import { openKubectl } from './open-kubectl.ts';
import { type PodState, readPods } from './pod-states.ts';
import { CLUSTER_ROLES } from './release-labels.ts';

const MANY_RESTARTS = 5;

/** What the cluster says of a node's pods, graded. */
export async function examineCluster(home: string, terminal: Terminal): Promise<Check[]> {
  const target = requireClusterTarget(home);
  try {
    const kubectl = openKubectl(target, terminal);
    return gradePods(await readPods(kubectl, target));
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    return [{ name: 'cluster', value: error.message, grade: 'bad', advice: 'kubectl version, with the same context' }];
  }
}

export function gradePods(pods: readonly PodState[]): Check[] {
  return CLUSTER_ROLES.map((role): Check => {
    const own = pods.filter((pod) => pod.role === role);
    const name = `${role} pod`;
    if (own.length === 0) return { name, value: 'none', grade: 'bad', advice: 'nectar-byon up' };
    const ready = own.filter((pod) => pod.ready);
    const restarts = Math.max(...own.map((pod) => pod.restarts));
    const unready = own.find((pod) => !pod.ready);
    const value = `${ready.length} of ${own.length} ready, ${restarts} restarts`;
    if (ready.length === 0)
      return {
        name,
        value: `${value}: ${unready?.reason ?? unready?.phase ?? ''}`,
        grade: 'bad',
        advice: 'nectar-byon logs',
      };
    if (unready !== undefined || restarts >= MANY_RESTARTS)
      return { name, value, grade: 'poor', advice: 'nectar-byon logs' };
    return { name, value, grade: 'good' };
  });
}
