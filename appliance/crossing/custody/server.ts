import type { Custody } from '../../custody/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { custody as contract } from './contract.ts';

export function custodyRoutes(custody: Custody): Route[] {
  return routesOf(contract, custody);
}
