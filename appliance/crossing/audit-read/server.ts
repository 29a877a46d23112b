import type { Audit } from '../../audit/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { describeServices, known } from '../state.ts';
import { auditRead } from './contract.ts';

export function auditReadRoutes(audit: Audit): Route[] {
  return routesOf(auditRead, {
    state: () => ({ services: describeServices([audit]), standing: known(() => audit.standing()) }),
    entry: (index, context) => audit.entry(index, context),
    query: (asked, context, signal) => audit.query(asked, context, signal),
    export: (request, context, signal) => audit.export(request, context, signal),
    prove: (index, context) => audit.prove(index, context),
    resolve: (request) => audit.resolve(request),
    loggedTokens: () => audit.loggedTokens(),
    loggedNotes: () => audit.loggedNotes(),
    verify: (anchors, onProgress, signal) => audit.verify({ anchors, onProgress, signal }),
  });
}
