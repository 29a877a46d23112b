import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../../telemetry/index.ts';

export interface SequencerMetrics {
  readonly lost: Counter<'reason'>;
  readonly blockCpu: Histogram;
  readonly blockGasBudget: Gauge;
}

export function createSequencerMetrics(registry: Metrics): SequencerMetrics {
  const registers = [registry];
  return {
    lost: new Counter({
      name: 'nectar_sequencer_lost_transactions_total',
      help: 'Transactions that were taken and will be in no block, by reason',
      labelNames: ['reason'],
      registers,
    }),
    blockCpu: new Histogram({
      name: 'nectar_sequencer_block_cpu_seconds',
      help: 'Thread CPU that making a block took',
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10],
      registers,
    }),
    blockGasBudget: new Gauge({
      name: 'nectar_sequencer_block_gas_budget',
      help: 'Gas that the next block may hold by what blocks were measured to cost',
      registers,
    }),
  };
}
