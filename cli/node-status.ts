import { socketsFolder } from '../appliance/config/home-paths.ts';
import { askHealth, MAX_STATUS_BYTES } from '../appliance/crossing/health/check-health.ts';
import { healthSocketPath } from '../appliance/crossing/socket.ts';
import { NodeStatus } from '../appliance/gateway/node-schemas.ts';
import type { NectarError } from '../protocol/errors.ts';
import type { Call } from './call.ts';
import { parseAnswer } from './client.ts';
import { withNode } from './node-client.ts';
import { isPassing } from './passing-failure.ts';
import { findTarget } from './provision/docker/target-file.ts';
import { findClusterTarget } from './provision/kubernetes/cluster-target.ts';

/** The API answers this in milliseconds. A door that takes longer is no door for whoever wants to know what is wrong. */
const API_TIMEOUT_MS = 15_000;
const HEALTHCHECK = ['healthcheck', 'gateway', '--status'];

/** How the node is, and what is wrong with the way by which everybody else asks. */
export interface AskedStatus {
  readonly node: NodeStatus;
  readonly gateway: string;
  /** Why the gateway's API did not say it: the node told by its local socket. */
  readonly apiFailure?: NectarError;
}

/**
 * The node at a glance: by its API, and where that is full, silent or closed, by the socket of its own machine, which has room of its own
 * and asks for no token (its folder is the owner's alone).
 *
 * @throws NectarError what the API's way said, where the local one says nothing either
 */
export async function askNodeStatus<O>(call: Call<O>): Promise<AskedStatus> {
  try {
    return await withNode(call, async (client) => {
      const node = await client.send(NodeStatus, 'GET', '/v1/node', { timeoutMs: API_TIMEOUT_MS });
      return { node, gateway: client.gateway };
    });
  } catch (error) {
    if (!isPassing(error)) throw error;
    const told = await askLocally(call).catch(() => undefined);
    if (told === undefined) throw error;
    return { node: withoutApi(told, error), gateway: gatewayOf(error), apiFailure: error };
  }
}

/** A node whose API does not answer is not ready, whatever its roles say of themselves. */
function withoutApi(node: NodeStatus, { message }: NectarError): NodeStatus {
  const reason = `its API does not serve (${message}); what is below was told by the local socket`;
  return { ...node, ready: false, reasons: [{ service: 'gateway', reason }, ...node.reasons] };
}

function gatewayOf(error: NectarError): string {
  const { gateway } = error.data as { gateway?: string };
  return gateway ?? 'it does not answer';
}

async function askLocally<O>({ home, terminal }: Call<O>): Promise<NodeStatus | undefined> {
  const { Value } = await import('typebox/value');
  const read = (text: string): NodeStatus => parseAnswer(Value, NodeStatus, text);
  const cluster = findClusterTarget(home);
  if (cluster !== undefined) {
    const { openKubectl } = await import('./provision/kubernetes/open-kubectl.ts');
    const { PROGRAM } = await import('./provision/docker/desired-state.ts');
    const { fullName } = await import('./provision/kubernetes/release-names.ts');
    const pod = ['exec', `deploy/${fullName(cluster)}-gateway`, '-c', 'gateway', '--'];
    const kubectl = openKubectl(cluster, terminal);
    return read(await kubectl.run([...pod, ...PROGRAM, ...HEALTHCHECK]));
  }
  if (findTarget(home) !== undefined) {
    const { askInContainer } = await import('./provision/docker/ask-in-container.ts');
    return read(await askInContainer(home, 'gateway', HEALTHCHECK, terminal));
  }
  const folder = socketsFolder(home, terminal.env);
  for (const role of ['all', 'gateway']) {
    const told = await askHealth(healthSocketPath(folder, role), '/status', MAX_STATUS_BYTES).catch(() => undefined);
    if (told?.status === 200) return read(told.text);
  }
  return undefined;
}
