import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the audit log counts. */
export interface AuditMetrics {
  readonly appended: Counter<'outcome'>;
  readonly bytes: Counter;
  readonly commitSeconds: Histogram;
  readonly groupSize: Histogram;
  readonly treeSize: Gauge;
  readonly checkpoints: Counter;
  readonly conflict: Gauge;
  readonly epoch: Gauge;
  readonly lost: Gauge;
  readonly externalSize: Gauge;
  readonly chainSilent: Gauge;
}

export function createAuditMetrics(registry: Registry): AuditMetrics {
  const registers = [registry];
  return {
    appended: new Counter({
      name: 'nectar_audit_appends_total',
      help: 'Events appended, by whether they became durable.',
      labelNames: ['outcome'],
      registers,
    }),
    bytes: new Counter({
      name: 'nectar_audit_written_bytes_total',
      help: 'Bytes of leaves and sealed bodies made durable.',
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'nectar_audit_commit_seconds',
      help: 'Time of one write with its fsync.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
      registers,
    }),
    groupSize: new Histogram({
      name: 'nectar_audit_group_leaves',
      help: 'Leaves that shared one fsync.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    treeSize: new Gauge({ name: 'nectar_audit_tree_leaves', help: 'Leaves in the log.', registers }),
    checkpoints: new Counter({ name: 'nectar_audit_checkpoints_total', help: 'Checkpoints signed.', registers }),
    conflict: new Gauge({
      name: 'nectar_audit_conflict',
      help: '1 when the log contradicts a tree head that left the machine: nothing private is served.',
      registers,
    }),
    epoch: new Gauge({
      name: 'nectar_audit_epoch',
      help: 'Epoch of the log: 1, and one more for each restore.',
      registers,
    }),
    lost: new Gauge({ name: 'nectar_audit_lost_leaves', help: 'Leaves that epochs declare lost.', registers }),
    externalSize: new Gauge({
      name: 'nectar_audit_external_leaves',
      help: 'Size of the largest tree head that is known outside.',
      registers,
    }),
    chainSilent: new Gauge({
      name: 'nectar_audit_chain_silent',
      help: '1 while private data is served although the chain has not answered since the start.',
      registers,
    }),
  };
}
