import { Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface MembershipMetrics {
  readonly attestationEnd: Gauge;
}

export function createMembershipMetrics(registry: Metrics): MembershipMetrics {
  return {
    attestationEnd: new Gauge({
      name: 'nectar_membership_attestation_end_seconds',
      help: "End of the auditors' attestation of this node, in seconds since 1970; 0 while it is no member",
      registers: [registry],
    }),
  };
}
