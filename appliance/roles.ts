import { loadConfig, loadSequencerConfig, socketsFolder } from './config/index.ts';
import { runSplitRole, type WireRole } from './run-split-role.ts';
import { type RunRequest, runWiring } from './run-wiring.ts';
import {
  createLeveledLogger,
  createLogger,
  createMetrics,
  createNodeLogLevels,
  roleLogLevels,
  watchVolumes,
} from './telemetry/index.ts';

export type { RunRequest } from './run-wiring.ts';

/** What one process runs: `all` is the whole node, `sequencer` the devnet's other side, the rest one role behind sockets. */
export type Role = RunRequest['role'];

/** Loaded one by one: a process holds the code of its role alone. */
const SPLIT: Readonly<Record<Exclude<Role, 'all' | 'sequencer'>, () => Promise<WireRole>>> = {
  gateway: async () => (await import('./wire/gateway.ts')).wireGateway,
  store: async () => (await import('./wire/store.ts')).wireStore,
  audit: async () => (await import('./wire/audit.ts')).wireAudit,
  rollup: async () => (await import('./wire/rollup.ts')).wireRollup,
};

/**
 * Runs a role until the signal aborts. Resolves after a clean stop.
 *
 * @throws NectarError NODE_HOME_IN_USE, and whatever a service's start throws
 */
export async function runRole(request: RunRequest): Promise<void> {
  const { role, home, version } = request;
  if (role !== 'all' && role !== 'sequencer') return runSplitRole(request, await SPLIT[role]());
  if (role === 'all') {
    const { wireNode } = await import('./wire.ts');
    const { config } = loadConfig(request);
    const { log, levels } = createLeveledLogger({ level: config.log.level });
    const options = { home, version, config, sockets: socketsFolder(home, request.env) };
    const logLevels = createNodeLogLevels([roleLogLevels('all', levels)]);
    const metrics = createMetrics();
    watchVolumes(metrics, [home]);
    return runWiring(request, () => wireNode(options, { log, logLevels, metrics }), log);
  }
  const { config } = loadSequencerConfig(request);
  const log = createLogger({ level: config.log.level });
  const { wireSequencer } = await import('./wire/sequencer.ts');
  return runWiring(request, () => wireSequencer({ home, version, config }, { log, metrics: createMetrics() }), log);
}
