import { type Metrics, readFamilies } from '../../telemetry/index.ts';
import { type Route, unaryRoute } from '../route.ts';
import { metrics } from './contract.ts';

/** Numbers of this role, for the gateway to show. */
export function metricsRoute(registry: Metrics): Route {
  return unaryRoute(metrics, () => readFamilies(registry));
}
