import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface StoreMetrics {
  readonly records: Gauge;
  readonly heldBytes: Gauge;
  readonly sealedBytes: Counter;
  readonly openedBytes: Counter;
  readonly operations: Counter<'operation' | 'outcome'>;
  readonly restoredBlocks: Counter;
}

export function createStoreMetrics(registry: Metrics): StoreMetrics {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  return {
    records: new Gauge({ name: 'nectar_store_records', help: 'Records that are not destroyed', registers }),
    heldBytes: new Gauge({ name: 'nectar_store_held_bytes', help: 'Bytes held for other owners', registers }),
    sealedBytes: counter('nectar_store_sealed_bytes_total', 'Plaintext bytes sealed'),
    openedBytes: counter('nectar_store_opened_bytes_total', 'Plaintext bytes opened and handed out'),
    operations: new Counter({
      name: 'nectar_store_operations_total',
      help: 'Puts, reads, deletions',
      labelNames: ['operation', 'outcome'],
      registers,
    }),
    restoredBlocks: counter(
      'nectar_store_restored_blocks_total',
      'Bad or missing blocks that came back from a replica',
    ),
  };
}
