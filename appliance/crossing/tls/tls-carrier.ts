import { NectarError } from '../../../protocol/errors.ts';
import type { Logger, Metrics } from '../../telemetry/index.ts';
import type { Carrier } from '../carrier.ts';
import { createConnection } from '../connection.ts';
import { CROSSINGS, type ServingRole, type SplitRole } from '../table.ts';
import { CROSSING_VERSION } from '../version.ts';
import { createCertificates } from './certificates.ts';
import { createCrossingMetrics } from './metrics.ts';
import { createOpenConnections } from './open-connections.ts';
import { type TlsAddress, tlsDialer } from './tls-dialer.ts';
import { createTlsServer, type TlsServerOptions } from './tls-server.ts';

export interface TlsCarrierOptions {
  readonly role: SplitRole;
  readonly instance: string;
  /** Holds tls.crt, tls.key and ca.crt of the role. */
  readonly folder: string;
  readonly listen: TlsServerOptions['listen'];
  /** Where the roles are that this one calls. */
  readonly addresses: Partial<Readonly<Record<ServingRole, TlsAddress>>>;
}

export interface TlsCarrierDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** Crossings between machines: TLS 1.3, mutual, by certificates that name roles of one node (docs/design/0023-kubernetes.md). */
export function createTlsCarrier(options: TlsCarrierOptions, { log, metrics: registry, now }: TlsCarrierDeps): Carrier {
  const { role, instance, listen, addresses } = options;
  const certificates = createCertificates(options, { log, now });
  const open = createOpenConnections({ now, pair: certificates.find });
  certificates.onChange(open.sweep);
  const metrics = createCrossingMetrics(registry, { certificates, now });
  return {
    connect(crossing) {
      const { server } = CROSSINGS[crossing];
      const address = addresses[server];
      if (address === undefined)
        throw new NectarError('CONFIG_VALUE_INVALID', {
          option: `NECTAR_CROSSING_${server.toUpperCase()}`,
          expected: 'the host:port of the role',
        });
      return createConnection({
        service: server,
        dialer: tlsDialer({ crossing, instance, address }, { certificates, open }),
      });
    },
    serve: (crossings) => [
      createTlsServer(
        { role, instance, listen, version: CROSSING_VERSION },
        { crossings, certificates, open, metrics, log },
      ),
    ],
    credentials: [certificates],
  };
}
