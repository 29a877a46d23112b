import type { Shelf } from '../../shelf/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { shelf as contract } from './contract.ts';

export function shelfRoutes(shelf: Shelf): Route[] {
  return routesOf(contract, shelf);
}
