import type { Logger } from './telemetry/index.ts';

/** Whether a service is usable now, and when not, why: shown by /readyz and `nectar-byon status`. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

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
