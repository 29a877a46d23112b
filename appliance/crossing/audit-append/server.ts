import type { Audit } from '../../audit/index.ts';
import { type Route, unaryRoute } from '../route.ts';
import { append, checkpoint, consistency, latest, treeHead, witnessed } from './contract.ts';

/** What gateway, store and rollup may ask of the log: to add to it, and how far it is. None of it reads an entry. */
export function auditAppendRoutes(
  audit: Pick<Audit, 'append' | 'treeHead' | 'checkpoint' | 'consistency' | 'latest' | 'witnessed'>,
): Route[] {
  return [
    unaryRoute(append, (event) => audit.append(event)),
    unaryRoute(treeHead, () => audit.treeHead()),
    unaryRoute(latest, () => audit.latest()),
    unaryRoute(consistency, ({ from }) => audit.consistency(from)),
    unaryRoute(checkpoint, () => audit.checkpoint()),
    unaryRoute(witnessed, async (head) => {
      await audit.witnessed(head);
      return null;
    }),
  ];
}
