import type { Audit } from '../../audit/index.ts';
import { collect } from '../collect.ts';
import { feedRoute, type Route, uploadRoute } from '../route.ts';
import { attend, hand, MAX_KEYS_BYTES, records } from './contract.ts';
import type { HeldKeys } from './held-keys.ts';

export interface AuditKeysParts {
  readonly keys: HeldKeys;
  readonly audit: Pick<Audit, 'records'>;
  /** Resolves once the log is open, or found damaged. */
  readonly whenStarted: (signal: AbortSignal) => Promise<void>;
}

/** What only the store may do: hand over the log's keys, and compare its records with the log. */
export function auditKeysRoutes({ keys, audit, whenStarted }: AuditKeysParts): Route[] {
  return [
    uploadRoute(hand, async (_, body, gone) => {
      keys.accept(await collect(body, MAX_KEYS_BYTES, { service: 'store', operation: hand.name }));
      await whenStarted(gone);
      return null;
    }),
    feedRoute(attend, async (_, send, gone) => {
      await send({ holding: keys.isHeld() });
      await new Promise((_resolve, reject) => gone.addEventListener('abort', () => reject(gone.reason)));
      return null;
    }),
    feedRoute(records, async ({ from }, send, gone) => {
      for await (const event of audit.records(from, gone)) await send(event);
      return null;
    }),
  ];
}
