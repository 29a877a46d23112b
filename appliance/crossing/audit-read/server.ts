import type { Audit } from '../../audit/index.ts';
import { createProgress } from '../progress.ts';
import { downloadRoute, feedRoute, type Route, unaryRoute } from '../route.ts';
import { describeServices, known } from '../state.ts';
import { entry, exportEntries, loggedTokens, prove, query, resolve, state, verify } from './contract.ts';

/** What only the gateway may ask of the log: what it says. */
export function auditReadRoutes(audit: Audit): Route[] {
  return [
    unaryRoute(state, () => ({ services: describeServices([audit]), standing: known(() => audit.standing()) })),
    unaryRoute(entry, ({ index, context }) => audit.entry(index, context)),
    unaryRoute(query, ({ query: asked, context }, signal) => audit.query(asked, context, signal)),
    downloadRoute(exportEntries, async ({ request, context }, gone) => ({
      head: null,
      body: await audit.export(request, context, gone),
    })),
    unaryRoute(prove, ({ index, context }) => audit.prove(index, context)),
    unaryRoute(resolve, (request) => audit.resolve(request)),
    unaryRoute(loggedTokens, () => audit.loggedTokens()),
    feedRoute(verify, async ({ anchors }, send, signal) => {
      const progress = createProgress(send);
      const verdict = await audit.verify({ anchors, signal, onProgress: progress.tell });
      await progress.settled();
      return verdict;
    }),
  ];
}
