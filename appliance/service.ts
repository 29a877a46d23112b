import type { ErrorCode, NectarError } from '../protocol/errors.ts';
import type { Logger } from './telemetry/index.ts';

/** Whether a service is usable now, and when not, why: shown by /readyz and `nectar-byon status`. */
export type Readiness = { readonly ready: true } | NotReady;

export interface NotReady {
  readonly ready: false;
  readonly reason: string;
  /** What does not pass by itself: whoever waits for the node need not go on. */
  readonly fault?: Fault;
}

/** An error of the registry, as a message between roles and to the owner carries it. */
export interface Fault {
  readonly code: ErrorCode;
  readonly data: Record<string, unknown>;
}

/** The state of a service that an error of the registry stops for good, until somebody acts. */
export function faulty(error: NectarError): NotReady {
  return { ready: false, reason: error.message, fault: { code: error.code, data: { ...error.data } } };
}

/**
 * A long-running part of the node. `start` resolves when the service accepts calls; the signal aborts whatever it does in
 * the background. `stop` is idempotent, waits for work in flight, and leaves everything on disk consistent.
 */
export interface Service {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  readiness(): Readiness;
}

/** Services started in wire order and stopped in reverse, each stopped even when another one's stop throws. */
export interface Lifecycle {
  start(services: readonly Service[]): Promise<void>;
  stop(): Promise<void>;
}

export function createLifecycle(log: Logger): Lifecycle {
  const started: Service[] = [];
  const abort = new AbortController();

  return {
    async start(services) {
      for (const service of services) {
        abort.signal.throwIfAborted();
        started.push(service);
        await service.start(abort.signal);
        log.debug({ service: service.name }, 'service started');
      }
    },
    async stop() {
      abort.abort();
      for (const service of started.splice(0).reverse()) {
        try {
          await service.stop();
        } catch (error) {
          log.error({ service: service.name, err: error }, 'service did not stop cleanly');
        }
      }
    },
  };
}
