import { collectDefaultMetrics, Registry } from 'prom-client';

/** The process's metric registry; each service's metrics.ts registers its own in it. */
export type Metrics = Registry;

/**
 * The longest that a timer can wait. The histogram of prom-client measures the event loop by a timer of its own, each 10 ms: a third of
 * a percent of a core in each role, which was most of what an idle gateway, store or audit used.
 */
const NEVER_MS = 2 ** 31 - 1;

/** Of that histogram: the period of its timer, not a lag. `nodejs_eventloop_lag_seconds` is measured when it is asked for. */
const OF_THE_HISTOGRAM = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of OF_THE_HISTOGRAM) registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
  return registry;
}
