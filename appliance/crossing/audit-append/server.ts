import type { Audit } from '../../audit/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { auditAppend } from './contract.ts';

export function auditAppendRoutes(
  audit: Pick<Audit, 'append' | 'treeHead' | 'checkpoint' | 'consistency' | 'latest' | 'witnessed' | 'chainHeard'>,
): Route[] {
  return routesOf(auditAppend, audit);
}
