import type { Audit } from '../../audit/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { auditKeys } from './contract.ts';
import type { HeldKeys } from './held-keys.ts';

export interface AuditKeysParts {
  readonly keys: HeldKeys;
  readonly audit: Pick<Audit, 'records'>;
  /** Resolves once the log is open, or found damaged. */
  readonly whenStarted: (signal: AbortSignal) => Promise<void>;
}

export function auditKeysRoutes({ keys, audit, whenStarted }: AuditKeysParts): Route[] {
  return routesOf(auditKeys, {
    async hand(both, gone) {
      keys.accept(both);
      await whenStarted(gone);
    },
    async attend(tell, gone) {
      await tell({ holding: keys.isHeld() });
      await new Promise((_resolve, reject) => gone.addEventListener('abort', () => reject(gone.reason)));
    },
    records: (from, gone) => audit.records(from, gone),
  });
}
