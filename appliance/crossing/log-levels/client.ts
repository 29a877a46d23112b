import type { RoleLogLevels } from '../../telemetry/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { logLevels } from './contract.ts';

/** The log levels of another role, over its socket. */
export function createLogLevelsClient(role: string, connection: Connection): RoleLogLevels {
  return { role, ...clientOf(connection, logLevels) };
}
