import { readPublicIdentity } from '../../appliance/config/identity.ts';
import type { Call } from '../call.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import type { OpenCollectors } from './open-collectors.ts';
import type { HardenOptions } from './options.ts';
import { readSettings } from './sources/node-settings.ts';

/** Everybody who looks at the node of a home, by what it runs in. */
export async function openNodeCollectors(call: Call<HardenOptions>): Promise<OpenCollectors> {
  const { home, terminal } = call;
  const { nodeId } = readPublicIdentity(home);
  const cluster = findClusterTarget(home);
  if (cluster !== undefined) {
    const { composeKubernetes } = await import('./compose-kubernetes.ts');
    return composeKubernetes({ call, nodeId, ...readSettings(home, {}) }, cluster);
  }
  const inContainers = findTarget(home) !== undefined;
  // The environment of this shell is not that of the containers.
  const { settings, config } = readSettings(home, inContainers ? {} : terminal.env);
  const sources = { call, nodeId, settings, config };
  const { composeDocker } = await import('./compose-docker.ts');
  const { composeProcess } = await import('./compose-process.ts');
  return inContainers ? composeDocker(sources) : composeProcess(sources);
}
