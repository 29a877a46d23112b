import { NectarError } from '../../../protocol/errors.ts';
import type { ClusterTarget } from './cluster-target.ts';
import type { Kubectl } from './kubectl.ts';
import { openKubectl } from './open-kubectl.ts';
import { openPortForward } from './port-forward.ts';
import { selectorOf } from './release-labels.ts';

/** The gateway of a node in a cluster, for as long as it is needed. */
export interface GatewayWay {
  readonly gateway: string;
  close(): Promise<void>;
}

export interface ReachDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The address that the target names, else a port of this machine that leads into the gateway's pod. */
export async function reachGateway(target: ClusterTarget, deps: ReachDeps): Promise<GatewayWay> {
  if (target.gateway !== undefined) return { gateway: target.gateway, close: async () => undefined };
  const kubectl = openKubectl(target, deps);
  const service = await findGatewayService(kubectl, target);
  const { port, close } = await openPortForward(kubectl, { to: service.name, port: service.port, signal: deps.signal });
  return { gateway: `https://127.0.0.1:${port}`, close };
}

/** @throws NectarError CLUSTER_RELEASE_MISSING */
async function findGatewayService(
  kubectl: Kubectl,
  { release, namespace }: ClusterTarget,
): Promise<{ name: string; port: number }> {
  const template =
    'jsonpath={range .items[*]}{.metadata.name}{" "}{range .spec.ports[*]}{.name}{":"}{.port}{" "}{end}{"\\n"}{end}';
  const text = await kubectl.run(['get', 'services', '-l', selectorOf(release, 'gateway'), '-o', template]);
  for (const line of text.split('\n')) {
    const [name = '', ...ports] = line.trim().split(' ');
    // The metrics have a port of their own, in the same service or in another.
    const [, number] =
      ports.map((port) => /^(?:https|api|gateway):(\d+)$/.exec(port)).find((found) => found !== null) ?? [];
    if (name !== '' && number !== undefined) return { name: `service/${name}`, port: Number(number) };
  }
  throw new NectarError('CLUSTER_RELEASE_MISSING', { namespace, release });
}
