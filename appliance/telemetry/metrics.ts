import { collectDefaultMetrics, Registry } from 'prom-client';

/** The process's metric registry; each service's metrics.ts registers its own in it. */
export type Metrics = Registry;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
