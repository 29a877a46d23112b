import { NectarError } from '../../../protocol/errors.ts';
import type { Terminal } from '../../terminal.ts';
import { desiredState, PROGRAM } from './desired-state.ts';
import { readDockerNode } from './node-spec.ts';
import { openEngine } from './open-engine.ts';
import { ownedBy } from './owned.ts';

/**
 * Asks the program of a role inside the role's own container: a way in that needs no port. Gives its stdout.
 *
 * @throws NectarError CLI_ENGINE_REFUSED
 */
export async function askInContainer(
  home: string,
  role: string,
  words: readonly string[],
  terminal: Terminal,
): Promise<string> {
  const { spec, target } = readDockerNode(home);
  const engine = openEngine(terminal, target.engine);
  const container = desiredState(spec).containers.find((each) => each.role === role);
  const found = container === undefined ? undefined : await ownedBy(spec.nodeId, engine).container(container.name);
  if (container === undefined || found?.State.Running !== true) {
    const reason = `the container of the role ${role} does not run`;
    throw new NectarError('CLI_ENGINE_REFUSED', {
      engine: target.engine ?? 'its usual socket',
      doing: `asking ${role}`,
      status: 0,
      reason,
    });
  }
  return (await engine.containers.ask(container.name, [...PROGRAM, ...words])).join('\n');
}
