import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { NectarError } from '../protocol/errors.ts';
import { loadConfig, loadSequencerConfig } from './config/index.ts';
import { createLifecycle } from './service.ts';
import { createLogger, createMetrics, type Logger } from './telemetry/index.ts';
import { type Wiring, wireNode, wireSequencer } from './wire.ts';

/** What one process runs. `all` is the whole node; `sequencer` is the devnet's other side. */
export const ROLES = ['all', 'gateway', 'store', 'audit', 'rollup', 'sequencer'] as const;
export type Role = (typeof ROLES)[number];

export interface RunRequest {
  readonly role: Role;
  readonly home: string;
  /** Of the package. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Dotted option path -> value, from the command line. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Aborted by SIGTERM and SIGINT: stops in reverse order of the start. */
  readonly signal: AbortSignal;
  /** Called once the process listens (it may still be locked or syncing), with the gateway's URL where it has one. */
  readonly onListening: (gateway: string | undefined) => void;
}

/** Role -> the wiring of its services. The split roles come with the container target. */
const WIRINGS: Partial<Record<Role, (request: RunRequest, log: Logger) => Promise<Wiring>>> = {
  all: async (request, log) => {
    const { config } = loadConfig(request);
    return wireNode({ home: request.home, version: request.version, config }, { log, metrics: createMetrics() });
  },
  sequencer: async (request, log) => {
    const { config } = loadSequencerConfig(request);
    return wireSequencer({ home: request.home, version: request.version, config }, { log, metrics: createMetrics() });
  },
};

/**
 * Runs a role until the signal aborts. Resolves after a clean stop.
 *
 * @throws NectarError NODE_ROLE_UNAVAILABLE, NODE_HOME_IN_USE, and whatever a service's start throws
 */
export async function runRole(request: RunRequest): Promise<void> {
  const wire = WIRINGS[request.role];
  if (wire === undefined) throw new NectarError('NODE_ROLE_UNAVAILABLE', { role: request.role });
  const log = createLogger({ level: logLevel(request) });
  const lock = await lockHome(request.home);
  try {
    await runWiring(await wire(request, log), request, log);
  } finally {
    await lock.close();
  }
}

async function runWiring(wiring: Wiring, request: RunRequest, log: Logger): Promise<void> {
  const lifecycle = createLifecycle(log);
  const started = (async () => {
    await lifecycle.start(wiring.alive);
    request.onListening(wiring.url());
    await wiring.whenUsable(request.signal);
    await lifecycle.start(wiring.usable);
    await wiring.onStarted();
    log.info({ version: request.version, role: request.role }, 'started');
  })();
  try {
    await Promise.race([started, aborted(request.signal)]);
    await aborted(request.signal);
  } finally {
    log.info({}, 'stopping');
    await wiring.onStopping();
    await lifecycle.stop();
    await started.catch(() => undefined);
    log.info({}, 'stopped');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** An empty LevelDB: the kernel frees its lock when the process ends, however it ends; no stale lock after kill -9. */
async function lockHome(home: string): Promise<{ close(): Promise<void> }> {
  const lock = new ClassicLevel(join(home, 'run', 'lock'));
  try {
    await lock.open();
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED') {
      throw new NectarError('NODE_HOME_IN_USE', { home }, { cause: error });
    }
    if ((error as { cause?: { message?: string } }).cause?.message?.includes('No space left')) {
      throw new NectarError('NODE_DISK_FULL', { path: home }, { cause: error });
    }
    throw error;
  }
  return lock;
}

function logLevel(request: RunRequest): 'error' | 'warn' | 'info' | 'debug' {
  const { config } = request.role === 'sequencer' ? loadSequencerConfig(request) : loadConfig(request);
  return config.log.level;
}
