import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';

export interface StoreMetrics {
  readonly records: Gauge;
  readonly anchored: Gauge;
  readonly heldBytes: Gauge;
  readonly sealedBytes: Counter;
  readonly openedBytes: Counter;
  readonly operations: Counter<'operation' | 'outcome'>;
  readonly restoredBlocks: Counter;
  readonly holders: Gauge<'state'>;
  readonly pendingReleases: Gauge;
  readonly releaseReceipts: Counter;
  readonly holderFaults: Counter<'problem'>;
  readonly shardSegments: Gauge<'margin'>;
  readonly shardAudits: Counter<'result'>;
  readonly shardRepairs: Gauge;
  readonly shardUnproved: Gauge;
  readonly unreadable: Gauge;
  readonly replayedDeletions: Counter;
  readonly pendingErasures: Gauge;
  readonly damagedValues: Gauge;
  readonly indexCondition: Gauge<'state'>;
  readonly rekeyRunning: Gauge;
  readonly rekeyRemaining: Gauge;
  readonly rekeyFailed: Gauge;
  readonly rekeyedVersions: Counter;
  readonly rekeyedBytes: Counter;
}

export function createStoreMetrics(registry: Metrics): StoreMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  return {
    anchored: new Gauge({
      name: 'nectar_store_anchored_versions',
      help: 'Versions of records under a root that is safe on L1',
      registers,
    }),
    shardSegments: new Gauge({
      name: 'nectar_store_shard_segments',
      help: 'Segments of blobs by the number of shards that may still go before a segment is lost',
      labelNames: ['margin'],
      registers,
    }),
    shardAudits: new Counter({
      name: 'nectar_store_shard_audits_total',
      help: 'Audits of holders of shards by what came of them',
      labelNames: ['result'],
      registers,
    }),
    shardRepairs: gauge('nectar_store_shard_repairs', 'Segments whose shards are to be made anew'),
    shardUnproved: gauge(
      'nectar_store_shard_unproved_seconds',
      'Time since the holder of shards that is longest silent proved something',
    ),
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
    replayedDeletions: counter(
      'nectar_store_replayed_deletions_total',
      'Deletions that the log had and the index had not, made again at start',
    ),
    pendingErasures: new Gauge({
      name: 'nectar_store_pending_erasures',
      help: 'Destroyed records whose bytes have not yet left the files',
      registers,
    }),
    damagedValues: new Gauge({
      name: 'nectar_store_damaged_values',
      help: 'Values of the index that were found not to open',
      registers,
    }),
    indexCondition: new Gauge({
      name: 'nectar_store_index_condition',
      help: '1 when the index is behind the log or ahead of it, until an operator resolves it',
      labelNames: ['state'],
      registers,
    }),
    rekeyRunning: gauge('nectar_store_rekey_running', '1 while every version is being sealed under new keys'),
    rekeyRemaining: gauge('nectar_store_rekey_remaining_versions', 'Versions that a rekey has still to seal'),
    rekeyFailed: gauge('nectar_store_rekey_failed_versions', 'Versions that the rekey could not seal'),
    rekeyedVersions: counter('nectar_store_rekeyed_versions_total', 'Versions sealed under new keys'),
    rekeyedBytes: counter('nectar_store_rekeyed_bytes_total', 'Plaintext bytes sealed under new keys'),
    holders: new Gauge({
      name: 'nectar_store_holders',
      help: 'Members that hold blobs of this node, by what their answers say',
      labelNames: ['state'],
      registers,
    }),
    holderFaults: new Counter({
      name: 'nectar_store_holder_faults_total',
      help: 'Blocks that a holder said it holds and does not have, or has other bytes of',
      labelNames: ['problem'],
      registers,
    }),
    pendingReleases: gauge(
      'nectar_store_pending_releases',
      'Blobs destroyed or replaced here that a holder has not yet signed to have released',
    ),
    releaseReceipts: counter('nectar_store_release_receipts_total', 'Signed receipts of holders for released blobs'),
    unreadable: gauge('nectar_store_unreadable_versions', 'Versions that did not read at the last whole scrub'),
    restoredBlocks: counter(
      'nectar_store_restored_blocks_total',
      'Bad or missing blocks that came back from a replica',
    ),
  };
}
