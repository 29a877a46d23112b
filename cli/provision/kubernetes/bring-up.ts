import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import { openNodeClient } from '../../node-client.ts';
import { showWork } from '../../render/work.ts';
import { type BringUp, unlockNode } from '../process/bring-up.ts';
import { describeReasons, isLocked, readReadiness, sayWaiting, throwFault } from '../process/wait-ready.ts';
import { type ClusterTarget, requireClusterTarget, writeClusterTarget } from './cluster-target.ts';
import type { Kubectl } from './kubectl.ts';
import { openKubectl } from './open-kubectl.ts';
import { findPodFailure, readPods } from './pod-states.ts';
import { readRoleSets, scaleSet } from './role-sets.ts';

const POLL_MS = 1_000;
/** A pod that crashed once is restarted, and may come up: only one that goes on like that has a reason of its own. */
const PATIENCE_POLLS = 10;
/** What passes while pods start and a way to them is found. */
const PASSING = ['CLI_NODE_UNREACHABLE', 'CLUSTER_REFUSED', 'CLUSTER_RELEASE_MISSING'] as const;

export interface ClusterUp {
  readonly gateway: string;
  readonly ready: boolean;
}

/** Brings back the pods that `down` took away, and waits until the node is usable (or only locked). */
export async function bringUpCluster(request: BringUp): Promise<ClusterUp> {
  const { home, terminal, output } = request;
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  await showWork(terminal, output, 'starting the pods', () => startPods(kubectl, { home, target }));
  const wait = () =>
    showWork(terminal, output, 'waiting until it is ready', (say) =>
      waitForPods({ kubectl, target, request, say: sayWaiting(say) }),
    );
  const gateway = target.gateway ?? `${target.namespace}/${target.release}`;
  if ((await wait()).ready) return { gateway, ready: true };
  const client = await openNodeClient({ home, signal: terminal.signal, env: terminal.env });
  try {
    if (!(await unlockNode(client, request))) return { gateway, ready: false };
  } finally {
    await client.close();
  }
  return { gateway, ready: (await wait()).ready };
}

async function startPods(
  kubectl: Kubectl,
  { home, target }: { readonly home: string; readonly target: ClusterTarget },
): Promise<void> {
  const { replicas = {}, ...rest } = target;
  for (const set of (await readRoleSets(kubectl, target)).toReversed()) {
    if (set.wanted === 0) await scaleSet(kubectl, set, replicas[set.role] ?? 1);
  }
  if (target.replicas !== undefined) await writeClusterTarget(home, rest);
}

interface Wait {
  readonly kubectl: Kubectl;
  readonly target: ClusterTarget;
  readonly request: BringUp;
  readonly say: (text: string) => void;
}

async function waitForPods({ kubectl, target, request, say }: Wait): Promise<{ ready: boolean }> {
  const { home, timeoutMs, terminal } = request;
  const until = terminal.now() + timeoutMs;
  let waitingFor = 'the pods';
  let stuckFor = 0;
  let client: Client | undefined;
  try {
    while (terminal.now() < until) {
      try {
        client ??= await openNodeClient({ home, signal: terminal.signal, env: terminal.env });
        const last = await readReadiness(client);
        throwFault(last);
        if (last.ready || isLocked(last)) return last;
        waitingFor = describeReasons(last);
      } catch (error) {
        if (!PASSING.some((code) => isNectarError(error, code))) throw error;
        // The way led into a pod that is gone.
        await client?.close();
        client = undefined;
      }
      const failure = findPodFailure(await readPods(kubectl, target));
      stuckFor = failure === undefined ? 0 : stuckFor + 1;
      if (failure !== undefined && stuckFor >= PATIENCE_POLLS) throw failure;
      say(failure === undefined ? waitingFor : failure.message);
      await sleep(POLL_MS, undefined, { signal: terminal.signal });
    }
  } finally {
    await client?.close();
  }
  throw new NectarError('CLI_NODE_START_TIMEOUT', { seconds: timeoutMs / 1000, waitingFor });
}
