import { type Metrics, readFamilies } from '../../telemetry/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { metrics } from './contract.ts';

/** Numbers of this role, for the gateway to show. */
export function metricsRoutes(registry: Metrics): Route[] {
  return routesOf(metrics, { read: () => readFamilies(registry) });
}
