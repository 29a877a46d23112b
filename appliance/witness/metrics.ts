import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface WitnessMetrics {
  readonly cosigned: Counter<'outcome'>;
  readonly asked: Counter<'outcome'>;
  readonly cosignatures: Gauge;
  readonly cosignedLeaves: Gauge;
  readonly splits: Gauge;
  readonly recalled: Gauge<'outcome'>;
}

export function createWitnessMetrics(registry: Metrics): WitnessMetrics {
  const registers = [registry];
  return {
    cosigned: new Counter({
      name: 'nectar_witness_requests_total',
      help: 'Checkpoints of other members that we were asked to cosign, by what came of it',
      labelNames: ['outcome'],
      registers,
    }),
    asked: new Counter({
      name: 'nectar_witness_asked_total',
      help: 'Members asked to cosign a checkpoint of ours, by what came of it',
      labelNames: ['outcome'],
      registers,
    }),
    cosignatures: new Gauge({
      name: 'nectar_witness_cosignatures',
      help: 'Cosignatures on our newest cosigned checkpoint',
      registers,
    }),
    cosignedLeaves: new Gauge({
      name: 'nectar_witness_cosigned_leaves',
      help: 'Leaves of the audit log under our newest cosigned checkpoint',
      registers,
    }),
    recalled: new Gauge({
      name: 'nectar_witness_recall_members',
      help: 'Members asked what they know of our log before its newest declared epoch, by whether they answered',
      labelNames: ['outcome'],
      registers,
    }),
    splits: new Gauge({
      name: 'nectar_witness_split_logs',
      help: 'Members of whose audit logs we hold evidence that they tell two stories',
      registers,
    }),
  };
}
