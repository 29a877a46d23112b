import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Carrier, ServedCrossings } from '../crossing/carrier.ts';
import { createHealthServer } from '../crossing/health/health-server.ts';
import { healthSocketPath } from '../crossing/socket.ts';
import type { SplitRole } from '../crossing/table.ts';
import { createLifecycle, faulty, type Readiness, type Service } from '../service.ts';
import { createMetrics } from '../telemetry/index.ts';
import type { RoleOptions, WireDeps } from '../wiring.ts';
import { carrierOf } from './carrier-of.ts';

const RETRY_MS = 250;

export interface BeforeWiring<T> {
  readonly role: SplitRole;
  /** What others may call meanwhile; `state` is why this role knows nothing yet. */
  serve?(state: () => NectarError): ServedCrossings;
  /** The answer, or the reason why there is none yet, as an error of the registry. Asked again until there is one. */
  attempt(carrier: Carrier): Promise<T>;
}

/**
 * What a role of a cluster does until it knows to which node it belongs: its services need that to be made. It is alive, says at its
 * health socket what it waits for, and goes on as soon as that has changed: nobody has to restart it.
 */
export async function beforeWiring<T>(
  { role, serve, attempt }: BeforeWiring<T>,
  options: RoleOptions,
  { log }: Pick<WireDeps, 'log'>,
): Promise<T> {
  let state: NectarError = new NectarError('NODE_NOT_READY', { service: role, reason: 'it has just started' });
  // The wiring makes a carrier of its own, with the metrics of the role.
  const carrier = carrierOf(role, options, { log, metrics: createMetrics() });
  const identity: Pick<Service, 'name' | 'readiness'> = {
    name: 'node identity',
    readiness: (): Readiness => faulty(state),
  };
  const lifecycle = createLifecycle(log);
  try {
    await lifecycle.start([
      ...carrier.credentials,
      ...carrier.serve(serve?.(() => state) ?? {}),
      createHealthServer(healthSocketPath(options.sockets, role), [...carrier.credentials, identity]),
    ]);
    for (let told = ''; ; ) {
      options.signal.throwIfAborted();
      try {
        return await attempt(carrier);
      } catch (error) {
        if (!isNectarError(error)) throw error;
        state = error;
      }
      if (state.message !== told) say(state, log);
      told = state.message;
      await sleep(RETRY_MS, undefined, { signal: options.signal });
    }
  } finally {
    await lifecycle.stop();
  }
}

/** A neighbour that is not there yet comes; for anything else a person must act. */
function say(state: NectarError, log: WireDeps['log']): void {
  const passes = isNectarError(state, 'NODE_NOT_READY') || isNectarError(state, 'NODE_CONNECTION_LOST');
  log[passes ? 'info' : 'error']({ code: state.code, reason: state.message }, 'it is not known yet which node this is');
}
