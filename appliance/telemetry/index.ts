export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { METRIC_TYPES, type MetricFamily, readFamilies } from './metric-families.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createNodeMetrics, type NodeMetrics, type RoleMetrics } from './node-metrics.ts';
export { watchVolumes } from './volume-metrics.ts';
