import type { Audit } from '../audit/index.ts';
import type { Service } from '../service.ts';

/**
 * Holds up what comes after the log as long as it is barred: a log that contradicts a head that left the machine takes no leaf, and
 * without one nothing private may happen. The gateway runs by then, and tells why; an operator resolves it there.
 */
export function whenSound(audit: Pick<Audit, 'whenSound'>): Service {
  return {
    name: 'audit log',
    start: (signal) => audit.whenSound(signal),
    stop: async () => undefined,
    readiness: () => ({ ready: true }),
  };
}
