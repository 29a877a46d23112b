import { Argument, type Command } from 'commander';
import { socketsFolder } from '../../appliance/config/home-paths.ts';
import { checkHealth } from '../../appliance/crossing/health/check-health.ts';
import { healthSocketPath } from '../../appliance/crossing/socket.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Terminal } from '../terminal.ts';

/** `all`: the node in one process. */
const HEALTHY_ROLES = ['all', 'gateway', 'store', 'audit', 'rollup'] as const;

export function registerHealthcheck(program: Command, terminal: Terminal): void {
  addVerb(program, 'healthcheck', {
    summary: 'ask a role by its local socket how it is: exit 0 when it is usable, 1 when not',
    examples: ['healthcheck store --home /srv/clinic', 'healthcheck store --live'],
  })
    .addArgument(new Argument('<role>', 'which role').choices(HEALTHY_ROLES))
    .option('--live', 'only whether its process answers; a locked node is alive')
    .action(action(terminal, healthcheck));
}

async function healthcheck({ home, operands, options, terminal, output }: Call<{ live?: boolean }>): Promise<void> {
  const role = operands[0] ?? '';
  const health = await checkHealth(healthSocketPath(socketsFolder(home, terminal.env), role));
  const ok = options.live === true ? health.alive : health.ready;
  if (!ok) throw new NectarError('NODE_ROLE_UNHEALTHY', { role, reason: health.reason });
  output.result({ role, ...health }, () => health.reason);
}
