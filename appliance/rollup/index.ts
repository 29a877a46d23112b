export type { BatchPeers } from './blobs/peer-batches.ts';
export { type RollupConfig, rollupConfig, type SequencerConfig, sequencerConfig } from './config.ts';
export { buildDescriptorGenesis } from './network-genesis.ts';
export { assertMachine, MACHINE_DIGEST, rulesOf } from './network-rules.ts';
export { createAuditor, createBatcher, createRpcServer, createSequencer } from './network-side.ts';
export { createRollup, type Rollup, type RollupDeps, type RollupOptions } from './rollup.ts';
export type { SubscriptionItem } from './rpc/subscriptions.ts';
export type { ShownAssertions } from './validator/describe-state.ts';
export type { ShownWithdrawal } from './withdrawals/describe-withdrawal.ts';
