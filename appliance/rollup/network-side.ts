import type { Logger, Metrics } from '../telemetry/index.ts';
import { createOperatorAccount } from './account/operator-account.ts';
import { type Auditor, createAuditor as createAuditorService } from './auditor/auditor.ts';
import { createBatchPoster } from './batcher/batch-poster.ts';
import { type Batcher, createBatcher as createBatcherService } from './batcher/batcher.ts';
import { createL1Sender } from './batcher/l1-sender.ts';
import { createKzgThread } from './blobs/kzg-thread.ts';
import { createProver } from './blobs/prover.ts';
import type { SequencerConfig } from './config.ts';
import { createBeacons } from './l1-parts.ts';
import type { NetworkPort } from './network-port.ts';
import { createOwnRpc } from './own-rpc.ts';
import type { Rollup } from './rollup.ts';
import { createSequencerMetrics } from './sequencer/metrics.ts';
import { createRpcServer as createServer, type RpcServer } from './sequencer/rpc-server.ts';
import {
  createSequencer as createSequencerService,
  type Sequencer,
  type SequencerDeps,
} from './sequencer/sequencer.ts';

export interface NetworkSideDeps {
  /** The node that this side runs on, in the same process; started before and stopped after it. */
  readonly rollup: Rollup;
  readonly log: Logger;
  readonly now: () => number;
  readonly metrics?: Metrics;
}

const GWEI = 1_000_000_000n;

/** Orders transactions, builds and signs blocks. `key`: the sequencer's secp256k1 key, 32 bytes. */
export function createSequencer(
  options: { readonly config: SequencerConfig; readonly key: Uint8Array },
  { rollup, log, now, metrics, askPeers }: NetworkSideDeps & Pick<SequencerDeps, 'askPeers'>,
): Sequencer {
  const { network } = rollup;
  const sequencer = createSequencerService(options.config, {
    chain: network.sequencerChain(options.key),
    log,
    now,
    ...(askPeers && { askPeers }),
    ...(metrics && { metrics: createSequencerMetrics(metrics) }),
  });
  network.setOrdering(sequencer);
  return sequencer;
}

/** Posts blocks to L1. `key`: the account that SequencerInbox takes batches from. */
export function createBatcher(
  options: { readonly config: SequencerConfig; readonly key: Uint8Array },
  { rollup, log, now }: NetworkSideDeps,
): Batcher {
  const { descriptor, config: rollupConfig, batcherChain } = rollup.network;
  const { dataAvailability, maxFeePerGasGwei, maxFeePerBlobGasGwei, ...rest } = options.config;
  const chainId = BigInt(descriptor.l1.chainId);
  const maxFeePerGasWei = BigInt(maxFeePerGasGwei) * GWEI;
  const maxFeePerBlobGasWei = BigInt(maxFeePerBlobGasGwei) * GWEI;
  const fees = { maxFeePerGasWei, maxFeePerBlobGasWei };
  const sender = createL1Sender({ key: options.key, chainId, ...fees }, rollup.network.l1Rpc);
  const beacons = createBeacons(rollupConfig, descriptor);
  const prover = createProver({ beacons, kzg: createKzgThread('proof-worker'), now });
  const { sequencerInbox } = descriptor.l1;
  const poster = createBatchPoster(
    { sequencerInbox, dataAvailability, readsBlobs: beacons.length > 0 },
    { sender, prove: prover.prove, log },
  );
  return createBatcherService(rest, { chain: batcherChain(), poster, sender, log, now, onStopped: prover.end });
}

/** The development network's auditors. `keys`: two of the accounts that the genesis names as auditors. */
export function createAuditor(
  options: { readonly config: SequencerConfig; readonly keys: readonly [Uint8Array, Uint8Array] },
  { rollup, log, now }: NetworkSideDeps,
): Auditor {
  const { network } = rollup;
  const account = (key: Uint8Array) => createPartsAccount(network, key, rollup);
  const { auditorPollMs: pollMs, attestationValidityS: validityS } = options.config;
  const accounts = [account(options.keys[0]), account(options.keys[1])] as const;
  const chainTime = (): bigint => rollup.heads().unsafe.timestamp;
  return createAuditorService({ pollMs, validityS }, { accounts, registry: rollup.announced, chainTime, log, now });
}

/** Whoever is on this machine shares one budget: there are no tokens to tell them apart. */
const LOOPBACK_CALLER = 'loopback';

/** JSON-RPC on loopback, for a process without a gateway. */
export function createRpcServer(config: SequencerConfig, rollup: Pick<Rollup, 'rpc'>): RpcServer {
  const options = { host: '127.0.0.1', port: config.rpcPort, maxBodyBytes: config.maxRpcBodyBytes } as const;
  return createServer(options, { handle: (body, signal) => rollup.rpc(body, LOOPBACK_CALLER, signal) });
}

/** An account of this process that is not the node's own. */
function createPartsAccount(network: NetworkPort, key: Uint8Array, rollup: Rollup) {
  const rpc = createOwnRpc((body) => rollup.rpc(body));
  const chainId = BigInt(network.descriptor.l2.chainId);
  return createOperatorAccount({ key, chainId }, { rpc, ordering: network.ordering });
}
