import { Argument, type Command } from 'commander';
import { homePaths } from '../../appliance/config/home-paths.ts';
import type { Role } from '../../appliance/roles.ts';
import { action, addVerb, type Call } from '../call.ts';
import { writeRunning } from '../provision/process/running.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

const ROLES: readonly Role[] = ['all', 'gateway', 'store', 'audit', 'rollup', 'sequencer'];

export function registerRun(program: Command, terminal: Terminal): void {
  addVerb(program, 'run', {
    summary: 'run a role in the foreground (what `up` starts in the background)',
    examples: ['run all --home /srv/clinic'],
  })
    .addArgument(new Argument('<role>', 'what to run').choices(ROLES))
    .action(action(terminal, run));
}

/** Until SIGTERM or Ctrl-C. With --json, as `up` calls it, the error that ends it is the log's last line. */
async function run({ home, operands, terminal }: Call<object>): Promise<void> {
  const role = ROLES.find((name) => name === operands[0]) ?? 'all';
  // Loaded only here: no other command needs the services, and they take a second to load.
  const { runRole } = await import('../../appliance/roles.ts');
  const { createLogger } = await import('../../appliance/telemetry/index.ts');
  const { watchUnhandled } = await import('../../appliance/unhandled.ts');
  watchUnhandled(role, createLogger({ level: 'error' }));
  await runRole({
    role,
    home,
    version: VERSION,
    env: terminal.env,
    signal: terminal.signal,
    onListening: (gateway) => announce(role, home, gateway),
  });
}

/** For the other commands: where the node of this home answers. In a container the provisioning knows, and nothing here is writable. */
function announce(role: Role, home: string, gateway: string | undefined): void {
  const answers = role === 'all' || role === 'sequencer' || role === 'gateway';
  if (answers && homePaths(home).layout === 'home') writeRunning(home, gateway);
}
