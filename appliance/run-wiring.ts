import { NectarError } from '../protocol/errors.ts';
import { homePaths, type LockedRole } from './config/index.ts';
import { type FolderLock, tryLock } from './folder-lock.ts';
import { migrateFormat } from './home-format.ts';
import { startIdleMemory } from './idle-memory.ts';
import { roomReserveOf, watchRoom } from './room-reserve.ts';
import { createLifecycle } from './service.ts';
import type { Logger } from './telemetry/index.ts';
import { requireVolumes } from './volume-marks.ts';
import type { Wiring } from './wiring.ts';

/** Some libraries take no modes for what they create (LevelDB's are 0644 and 0755): what a node writes is its owner's alone. */
const UMASK = 0o077;

export interface RunRequest {
  readonly role: LockedRole;
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

/**
 * Locks what the role alone may write, wires it, and runs it until the signal aborts. Resolves after a clean stop.
 *
 * @throws NectarError NODE_HOME_IN_USE, VOLUME_MISSING, and whatever a service's start throws
 */
export async function runWiring(request: RunRequest, wire: () => Promise<Wiring>, log: Logger): Promise<void> {
  process.umask(UMASK);
  process.on('SIGUSR1', ignore);
  const { home, role } = request;
  const locks: FolderLock[] = [];
  const reserve = roomReserveOf(home, role, log);
  try {
    // The first thing that writes is the lock.
    await reserve?.giveUp('start');
    for (const path of homePaths(home).locks(role)) {
      const lock = await tryLock(path, `run ${role}`);
      if (lock === undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
      locks.push(lock);
    }
    if (role !== 'sequencer') requireVolumes(home, role);
    await bringAlong(request, log);
    const wiring = await wire().catch((error: unknown) => {
      // Told to end before it knew what it belongs to.
      if (request.signal.aborted) return undefined;
      throw error;
    });
    using _room = reserve && watchRoom(reserve, log);
    if (wiring !== undefined) await run(wiring, request, log);
  } finally {
    for (const lock of locks) await lock.release();
    process.off('SIGUSR1', ignore);
  }
}

/** Node itself would open a debugger for whoever sends this signal, with all of the process's memory behind it. */
function ignore(): void {}

/** The data of an older program, once this process alone may write it. A newer one's is refused. */
async function bringAlong({ role, home }: RunRequest, log: Logger): Promise<void> {
  if (role === 'sequencer') return;
  for (const folder of homePaths(home).formats(role)) {
    await migrateFormat(folder, { onMigration: ({ title }) => log.info({ title }, 'bringing the data along') });
  }
}

async function run(wiring: Wiring, request: RunRequest, log: Logger): Promise<void> {
  const lifecycle = createLifecycle(log);
  const stopping = new AbortController();
  using _idleMemory = startIdleMemory();
  const signal = AbortSignal.any([request.signal, stopping.signal]);
  const started = (async () => {
    await lifecycle.start(wiring.alive);
    request.onListening(wiring.url());
    await wiring.whenUsable(signal);
    await lifecycle.start(wiring.usable);
    await wiring.onStarted();
    log.info({ version: request.version, role: request.role }, 'started');
  })();
  try {
    await Promise.race([started, aborted(request.signal)]);
    await aborted(request.signal);
  } finally {
    log.info({}, 'stopping');
    stopping.abort();
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
