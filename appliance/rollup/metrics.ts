import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/index.ts';
import type { EndpointState } from './l1/endpoints.ts';

export interface RollupMetrics {
  readonly head: Gauge<'head'>;
  readonly l1Block: Gauge;
  readonly malformedBatches: Counter;
  readonly dropped: Counter<'what'>;
  readonly batchDataWaiting: Gauge;
  readonly l1Endpoints: Gauge<'endpoint' | 'standing'>;
  readonly obligedBlocks: Counter;
  readonly replacedChains: Counter;
  readonly unsafeBlocks: Counter<'verdict'>;
  readonly refusedBlocks: Counter<'reason'>;
  readonly discardedBlocks: Counter<'reason'>;
  readonly evmCalls: Histogram<'outcome'>;
  readonly confirmedBatch: Gauge;
  readonly stateFrom: Gauge;
  readonly pendingAssertions: Gauge;
  readonly falseAssertions: Gauge<'status'>;
}

export function createRollupMetrics(registry: Metrics): RollupMetrics {
  const registers = [registry];
  return {
    head: new Gauge({
      name: 'nectar_rollup_head_number',
      help: 'L2 block number of each head',
      labelNames: ['head'],
      registers,
    }),
    l1Block: new Gauge({ name: 'nectar_rollup_l1_block_number', help: 'Last L1 block derived from', registers }),
    malformedBatches: new Counter({
      name: 'nectar_rollup_malformed_batches_total',
      help: 'Batches on L1 that no decoder takes',
      registers,
    }),
    dropped: new Counter({
      name: 'nectar_rollup_dropped_total',
      help: 'What L1 holds and a rule keeps out of L2',
      labelNames: ['what'],
      registers,
    }),
    batchDataWaiting: new Gauge({
      name: 'nectar_rollup_batch_data_waiting',
      help: '1 while neither L1, a beacon node nor a peer gives the data of the next batch',
      registers,
    }),
    l1Endpoints: new Gauge({
      name: 'nectar_rollup_l1_endpoints',
      help: 'L1 endpoints by what the last comparison said of them: 1 for the present standing',
      labelNames: ['endpoint', 'standing'],
      registers,
    }),
    obligedBlocks: new Counter({
      name: 'nectar_rollup_obliged_blocks_total',
      help: 'Blocks that derivation made to read messages which a batch owed',
      registers,
    }),
    replacedChains: new Counter({
      name: 'nectar_rollup_replaced_chains_total',
      help: 'Times that L1 contradicted the unsafe chain',
      registers,
    }),
    unsafeBlocks: new Counter({
      name: 'nectar_rollup_unsafe_blocks_total',
      help: 'Announced blocks by verdict',
      labelNames: ['verdict'],
      registers,
    }),
    refusedBlocks: new Counter({
      name: 'nectar_rollup_refused_unsafe_blocks_total',
      help: 'Announced blocks that the sequencer signed and this node did not take, by reason',
      labelNames: ['reason'],
      registers,
    }),
    evmCalls: new Histogram({
      name: 'nectar_rollup_evm_call_seconds',
      help: 'Computing time of calls that clients try on the EVM, by outcome',
      labelNames: ['outcome'],
      buckets: [0.002, 0.01, 0.05, 0.2, 1, 5],
      registers,
    }),
    confirmedBatch: new Gauge({
      name: 'nectar_rollup_confirmed_batch',
      help: 'Batch up to which L1 has confirmed an assertion',
      registers,
    }),
    stateFrom: new Gauge({
      name: 'nectar_rollup_state_from_block',
      help: 'First L2 block whose state is kept; older state is removed',
      registers,
    }),
    pendingAssertions: new Gauge({
      name: 'nectar_rollup_pending_assertions',
      help: 'Assertions on L1 that are not confirmed yet',
      registers,
    }),
    falseAssertions: new Gauge({
      name: 'nectar_rollup_false_assertions',
      help: 'Assertions on L1 that contradict what this node derived, by status; any above 0 is an alarm',
      labelNames: ['status'],
      registers,
    }),
    discardedBlocks: new Counter({
      name: 'nectar_rollup_discarded_unsafe_blocks_total',
      help: 'Unsafe blocks that were given up, by reason',
      labelNames: ['reason'],
      registers,
    }),
  };
}

/** By number and origin: two endpoints of one host are two. */
export function observeEndpoints({ l1Endpoints }: RollupMetrics, states: readonly EndpointState[]): void {
  l1Endpoints.reset();
  for (const [index, { url, standing }] of states.entries()) {
    l1Endpoints.set({ endpoint: `${index + 1} ${url}`, standing }, 1);
  }
}
