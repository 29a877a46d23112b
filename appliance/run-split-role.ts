import { crossingsConfig, firstStartOf, homePaths, loadConfig, socketsFolder } from './config/index.ts';
import { type RunRequest, runWiring } from './run-wiring.ts';
import { createLeveledLogger, createMetrics, watchVolumes } from './telemetry/index.ts';
import type { RoleDeps, RoleOptions, Wiring } from './wiring.ts';

export type WireRole = (options: RoleOptions, deps: RoleDeps) => Promise<Wiring>;

/** Runs one role of a node as a process of its own; it meets the others at crossings. */
export async function runSplitRole(request: RunRequest, wire: WireRole): Promise<void> {
  const { role, home, version, env, signal } = request;
  const { config } = loadConfig(request);
  const { log, levels } = createLeveledLogger({ level: config.log.level });
  const crossings = crossingsConfig(role, home, env);
  const firstStart = firstStartOf(home, env);
  const options = { home, version, config, sockets: socketsFolder(home, env), crossings, firstStart, signal };
  const metrics = createMetrics();
  watchVolumes(metrics, homePaths(home).formats(role));
  await runWiring(request, () => wire(options, { log, levels, metrics }), log);
}
