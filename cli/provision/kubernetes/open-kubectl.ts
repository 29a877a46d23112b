import type { Terminal } from '../../terminal.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';

export function openKubectl(target: ClusterTarget, { env, signal }: Pick<Terminal, 'env' | 'signal'>): Kubectl {
  const { kubeconfig, context, namespace } = target;
  return createKubectl({ kubeconfig, context, namespace }, { env, signal });
}
