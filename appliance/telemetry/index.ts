export {
  createLeveledLogger,
  type LevelChange,
  type LogLevelState,
  type LogLevels,
  MAX_LEVEL_SECONDS,
  RUNTIME_LEVELS,
  type RuntimeLevel,
} from './log-levels.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { METRIC_TYPES, type MetricFamily, readFamilies } from './metric-families.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export {
  createNodeLogLevels,
  type NodeLogLevels,
  type RoleLogLevels,
  type RoleLogState,
  roleLogLevels,
} from './node-log-levels.ts';
export { createNodeMetrics, type NodeMetrics, type RoleMetrics } from './node-metrics.ts';
export { watchVolumes } from './volume-metrics.ts';
