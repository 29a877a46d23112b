import { NectarError } from '../../../protocol/errors.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { openKubectl } from './open-kubectl.ts';
import { type PodState, readPods } from './pod-states.ts';
import { openPortForward } from './port-forward.ts';
import { ROLE_PORTS } from './release-labels.ts';

/** The gateway of a node in a cluster, for as long as it is needed. */
export interface GatewayWay {
  readonly gateway: string;
  close(): Promise<void>;
}

export interface ReachDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * The address that the target names, else a port of this machine that leads into a pod of the gateway: into a ready one where there is
 * one, since a locked node has none and is to be opened through it.
 *
 * @throws NectarError CLI_NODE_UNREACHABLE where no pod of it runs
 */
export async function reachGateway(target: ClusterTarget, deps: ReachDeps): Promise<GatewayWay> {
  if (target.gateway !== undefined) return { gateway: target.gateway, close: async () => undefined };
  const kubectl = openKubectl(target, deps);
  const pod = choosePod(await readPods(kubectl, target));
  if (pod === undefined) {
    const gateway = `${target.namespace}/${target.release}`;
    throw new NectarError('CLI_NODE_UNREACHABLE', { gateway, reason: 'no pod of the gateway runs' });
  }
  const { port, close } = await openPortForward(kubectl, {
    ...{ to: `pod/${pod}`, port: ROLE_PORTS.gateway, signal: deps.signal },
  });
  return { gateway: `https://127.0.0.1:${port}`, close };
}

/** One that is ready; else one that runs at all. */
export function choosePod(pods: readonly PodState[]): string | undefined {
  const running = pods.filter(
    ({ role, phase, reason }) => role === 'gateway' && phase === 'Running' && reason === undefined,
  );
  return (running.find(({ ready }) => ready) ?? running[0])?.pod;
}
