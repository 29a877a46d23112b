import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import { openNodeClient } from '../../node-client.ts';
import { type Say, showWork } from '../../render/work.ts';
import { withCommandLock } from '../command-lock.ts';
import { type BringUp, unlockNode } from '../process/bring-up.ts';
import { describeReasons, isLocked, readReadiness, sayWaiting, throwFault } from '../process/wait-ready.ts';
import { findContainerFailure } from './container-failure.ts';
import { type Changes, converge, requireImages } from './converge.ts';
import { type DesiredState, desiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { fillConfigVolume } from './fill-volumes.ts';
import { gatewayUrl } from './gateway-url.ts';
import { giveKeyFile, isGivenKeyFile } from './key-file.ts';
import { type DockerNode, readDockerNode } from './node-spec.ts';
import { openEngine, seccompFor } from './open-engine.ts';

const POLL_MS = 250;

export interface DockerUp {
  readonly gateway: string;
  readonly ready: boolean;
  readonly changes: Changes;
}

/** Brings the containers to what the home says, starts them, and waits until the node is usable (or only locked). */
export async function bringUpDocker(request: BringUp): Promise<DockerUp> {
  const { home, terminal, output } = request;
  const node = readDockerNode(home);
  const engine = openEngine(terminal, node.target.engine);
  const changes = await showWork(terminal, output, 'starting the containers', (say) =>
    convergeNode(engine, node, { say, signal: terminal.signal }),
  );
  const client = await openNodeClient({ home, signal: terminal.signal });
  try {
    const state = desiredState(node.spec);
    const wait = () =>
      showWork(terminal, output, 'waiting until it is ready', (say) =>
        waitForContainers({ engine, state, client, request, say: sayWaiting(say) }),
      );
    const gateway = gatewayUrl(node.config.gateway);
    if ((await wait()).ready) return { gateway, ready: true, changes };
    if (!(await unlockNode(client, request))) return { gateway, ready: false, changes };
    return { gateway, ready: (await wait()).ready, changes };
  } finally {
    await client.close();
  }
}

/** One process at a time changes the containers of a home. */
function convergeNode(
  engine: Engine,
  node: DockerNode,
  { say, signal }: { readonly say: Say; readonly signal: AbortSignal },
): Promise<Changes> {
  const { home, spec } = node;
  return withCommandLock({ home, name: 'converge', purpose: 'changing the containers', signal, say }, async () => {
    const { kind } = await engine.facts();
    const state = desiredState(spec);
    await requireImages(engine, state.containers);
    if (spec.keyFile !== undefined && !(await isGivenKeyFile(spec.keyFile)))
      await giveKeyFile(engine, spec, spec.keyFile);
    return converge(engine, state, {
      say,
      volumes: 'passing',
      seccomp: seccompFor(kind, home, state.containers),
      prepare: async () => {
        say('writing the configuration');
        await fillConfigVolume(engine, spec, node.shared);
      },
    });
  });
}

interface Wait {
  readonly engine: Engine;
  readonly state: DesiredState;
  readonly client: Client;
  readonly request: BringUp;
  readonly say: (text: string) => void;
}

/** As for a process; before the gateway listens it does not answer, and a container that ends says why. */
async function waitForContainers({ engine, state, client, request, say }: Wait): Promise<{ ready: boolean }> {
  const { timeoutMs, terminal } = request;
  const until = terminal.now() + timeoutMs;
  let waitingFor = 'the gateway';
  while (terminal.now() < until) {
    try {
      const last = await readReadiness(client);
      throwFault(last);
      if (last.ready || isLocked(last)) return last;
      waitingFor = describeReasons(last);
    } catch (error) {
      if (!isNectarError(error, 'CLI_NODE_UNREACHABLE')) throw error;
    }
    const failure = await findContainerFailure(engine, state);
    if (failure !== undefined) throw failure;
    say(waitingFor);
    await sleep(POLL_MS, undefined, { signal: terminal.signal });
  }
  throw new NectarError('CLI_NODE_START_TIMEOUT', { seconds: timeoutMs / 1000, waitingFor });
}
