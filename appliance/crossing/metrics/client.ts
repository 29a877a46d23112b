import type { RoleMetrics } from '../../telemetry/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { metrics } from './contract.ts';

/** The metrics of another role, read over its socket: bounded in size and time. */
export function createMetricsClient(role: string, connection: Connection): RoleMetrics {
  return { role, ...clientOf(connection, metrics) };
}
