import type { Fault, Service } from '../service.ts';
import { anything, exact, flag, list, optional, text } from './shape.ts';

const MAX_REASON = 1024;

/** One service of a role, as the role tells it to a neighbour. */
export interface ServiceState {
  readonly service: string;
  readonly ready: boolean;
  readonly reason?: string;
  readonly fault?: Fault;
}

export const serviceStates = list(
  exact({
    service: text(64),
    ready: flag,
    reason: optional(text(4096)),
    fault: optional(exact({ code: text(64), data: anything })),
  }),
  32,
);

export function describeServices(services: readonly Pick<Service, 'name' | 'readiness'>[]): ServiceState[] {
  return services.map((service) => {
    const state = service.readiness();
    if (state.ready) return { service: service.name, ready: true };
    const { reason, fault } = state;
    const told = { service: service.name, ready: false, reason: reason.slice(0, MAX_REASON) };
    return fault === undefined ? told : { ...told, fault };
  });
}

/** A value that a service tells once it has started; until then null. */
export function known<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Calls that come while one is under way get its answer: asking costs one message, however many ask. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= ask().finally(() => {
      running = undefined;
    });
    return running;
  };
}
