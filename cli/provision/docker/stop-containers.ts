import type { Terminal } from '../../terminal.ts';
import { type DesiredState, desiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { readDockerNode } from './node-spec.ts';
import { openEngine } from './open-engine.ts';
import { ownedBy } from './owned.ts';

export interface Stopped {
  readonly wasRunning: boolean;
  /** Containers that did not end in time. */
  readonly killed: readonly string[];
}

/** Stops the node's containers, the gateway first: reverse of the start. A stopped one stays stopped over a reboot. */
export async function stopContainers(
  engine: Engine,
  state: DesiredState,
  { timeoutMs, say }: { readonly timeoutMs: number; readonly say: (text: string) => void },
): Promise<Stopped> {
  const owned = ownedBy(state.nodeId, engine);
  const killed: string[] = [];
  let wasRunning = false;
  for (const { name, role } of [...state.containers].reverse()) {
    const found = await owned.container(name);
    if (found?.State.Running !== true && found?.State.Restarting !== true) continue;
    wasRunning = true;
    say(`stopping ${role}`);
    // A container that is paused takes no signal.
    await engine.containers.stop(name, timeoutMs);
    if ((await owned.container(name))?.State.ExitCode === 137) killed.push(name);
  }
  return { wasRunning, killed };
}

/** The same for the node of a home. */
export function stopNodeContainers(
  home: string,
  options: { readonly timeoutMs: number; readonly say: (text: string) => void; readonly terminal: Terminal },
): Promise<Stopped> {
  const { spec, target } = readDockerNode(home);
  return stopContainers(openEngine(options.terminal, target.engine), desiredState(spec), options);
}
