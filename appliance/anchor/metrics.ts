import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface AnchorMetrics {
  readonly sent: Counter<'kind'>;
  readonly refused: Counter<'kind'>;
  readonly safeAuditSize: Gauge;
}

export function createAnchorMetrics(registry: Metrics): AnchorMetrics {
  const registers = [registry];
  return {
    sent: new Counter({
      name: 'nectar_anchor_transactions_total',
      help: 'Anchoring transactions sent',
      labelNames: ['kind'],
      registers,
    }),
    refused: new Counter({
      name: 'nectar_anchor_refused_total',
      help: 'Anchoring transactions that the contract would revert',
      labelNames: ['kind'],
      registers,
    }),
    safeAuditSize: new Gauge({
      name: 'nectar_anchor_safe_audit_leaves',
      help: 'Size of the newest audit checkpoint that is safe on L1',
      registers,
    }),
  };
}
