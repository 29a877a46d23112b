import Type, { type Static, type TUnsafe } from 'typebox';
import type { Fault, Service } from '../service.ts';
import { exact, flag, list, optional, settings, text } from './shape.ts';

const MAX_REASON = 1024;

const fault: TUnsafe<Fault> = Type.Unsafe<Fault>(exact({ code: text(64), data: settings }));

/** The services of a role, as the role tells of them to a neighbour. */
export const serviceStates = list(
  exact({ service: text(64), ready: flag, reason: optional(text(4096)), fault: optional(fault) }),
  32,
);
export type ServiceState = Static<typeof serviceStates>[number];

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
