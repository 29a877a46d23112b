import type { Carrier } from '../crossing/carrier.ts';
import { createSocketCarrier } from '../crossing/socket-carrier.ts';
import type { SplitRole } from '../crossing/table.ts';
import { createTlsCarrier } from '../crossing/tls/tls-carrier.ts';
import { now, type RoleOptions, type WireDeps } from '../wiring.ts';

/** What the crossings of a role go over: the wiring is the same for either. */
export function carrierOf(role: SplitRole, { crossings }: RoleOptions, { log, metrics }: WireDeps): Carrier {
  return crossings.carrier === 'tls'
    ? createTlsCarrier({ ...crossings, role }, { log, metrics, now })
    : createSocketCarrier(crossings.folder, { log });
}
