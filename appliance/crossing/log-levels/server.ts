import type { LogLevels } from '../../telemetry/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { logLevels } from './contract.ts';

/** How this role logs, for the gateway to show and to change for a while. */
export function logLevelsRoutes(levels: LogLevels): Route[] {
  return routesOf(logLevels, {
    read: async () => levels.read(),
    change: async (wanted) => levels.change(wanted),
    reset: async () => levels.reset(),
  });
}
