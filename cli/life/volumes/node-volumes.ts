import { readDockerNode } from '../../provision/docker/node-spec.ts';
import { openEngine } from '../../provision/docker/open-engine.ts';
import { hasTarget } from '../../provision/docker/target-path.ts';
import { findClusterTarget } from '../../provision/kubernetes/cluster-target.ts';
import type { Terminal } from '../../terminal.ts';
import type { OpenVolumes } from './open-volumes.ts';

/** Whether the data of a node lies in volumes, of containers or of pods, and not in its home. */
export function isInVolumes(home: string): boolean {
  return hasTarget(home);
}

/** The volumes of a node, wherever they are, for as long as `work` takes. */
export async function withNodeVolumes<T>(
  request: { readonly home: string; readonly terminal: Terminal },
  work: (volumes: OpenVolumes) => Promise<T>,
): Promise<T> {
  const { home, terminal } = request;
  if (findClusterTarget(home) !== undefined) {
    const { withClusterVolumes } = await import('./cluster-volumes.ts');
    return withClusterVolumes(request, work);
  }
  const node = readDockerNode(home);
  const { withVolumes } = await import('./open-volumes.ts');
  return withVolumes(openEngine(terminal, node.target.engine), node, work);
}
