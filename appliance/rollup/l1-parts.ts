import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { Logger } from '../telemetry/index.ts';
import { type BatchArchive, createBatchArchive } from './blobs/batch-archive.ts';
import { type BeaconApi, createBeaconApi } from './blobs/beacon-api.ts';
import { createBlobSource } from './blobs/blob-source.ts';
import { createKzgThread, type KzgThread } from './blobs/kzg-thread.ts';
import { type BatchPeers, createPeerBatches } from './blobs/peer-batches.ts';
import type { RollupConfig } from './config.ts';
import type { Engine } from './derive/engine.ts';
import { createBatchReader } from './l1/batch-reader.ts';
import { type BatchTransactions, createBatchTransactions } from './l1/batch-transaction.ts';
import { createEndpointWatch, type EndpointWatch, type EndpointWatchDeps } from './l1/endpoint-watch.ts';
import { createEndpoints, type EndpointState, type Endpoints } from './l1/endpoints.ts';
import { createJsonRpc, type EndpointRpc, type JsonRpc } from './l1/json-rpc.ts';
import { createL1Source, type L1Source } from './l1/l1-source.ts';
import { createOutboundFetch } from './l1/outbound-fetch.ts';
import { type Silence, watchSilence } from './l1/silence.ts';

export interface L1PartsOptions {
  readonly config: RollupConfig;
  readonly descriptor: NetworkDescriptor;
}

export interface L1PartsDeps {
  readonly engine: Pick<Engine, 'record' | 'putRecords'>;
  readonly peers: BatchPeers;
  /** What this node has derived from; the store comes to be after this. */
  readonly derived: EndpointWatchDeps['derived'];
  readonly onEndpoints?: (states: readonly EndpointState[]) => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** The way to L1: its blocks, and the data of its batches from wherever that is to be had. */
export interface L1Parts {
  readonly l1Rpc: JsonRpc;
  readonly endpoints: Endpoints;
  readonly silence: Silence;
  readonly watch: EndpointWatch;
  readonly l1: L1Source;
  readonly archive: BatchArchive;
  readonly transactionOf: BatchTransactions;
  /** Ended with the node. */
  readonly kzg: KzgThread;
}

export function createL1Parts(
  options: L1PartsOptions,
  { engine, peers, derived, onEndpoints, log, now }: L1PartsDeps,
): L1Parts {
  const { config, descriptor } = options;
  const endpoints = createEndpoints(l1Urls(config, descriptor));
  const { rpc: l1Rpc, silence } = watchSilence(createL1Rpc(config, endpoints), now);
  const watch = createEndpointWatch(
    { pollMs: config.l1CompareMs, maxLag: BigInt(config.l1MaxLagBlocks), depth: BigInt(config.l1ReorgDepth) },
    { endpoints, rpc: l1Rpc, derived, log, ...(onEndpoints && { onCompared: onEndpoints }) },
  );
  const kzg = createKzgThread('kzg-worker');
  const limits = { maxBytes: config.archiveBytes, maxL1Blocks: config.archiveL1Blocks };
  const archive = createBatchArchive(limits, engine);
  const batches = createBatchReader({
    rpc: l1Rpc,
    blobs: createBlobSource({ beacons: createBeacons(config, descriptor), kzg }),
    archive,
    peers: createPeerBatches({ peers, kzg, log }),
  });
  const { inbox, sequencerInbox } = descriptor.l1;
  const chainId = BigInt(descriptor.l1.chainId);
  const watched = { staleMs: config.l1HeadStaleMs, now };
  const l1 = createL1Source({ chainId, addresses: { inbox, sequencerInbox }, ...watched }, l1Rpc, batches);
  const transactionOf = createBatchTransactions(sequencerInbox, l1Rpc);
  return { l1Rpc, endpoints, silence, watch, l1, archive, transactionOf, kzg };
}

function l1Urls(config: RollupConfig, descriptor: NetworkDescriptor): readonly string[] {
  return config.l1RpcUrls.length > 0 ? config.l1RpcUrls : descriptor.endpoints.l1Rpc;
}

function createL1Rpc(config: RollupConfig, endpoints: Endpoints): EndpointRpc {
  const limits = { timeoutMs: config.l1TimeoutMs, maxResponseBytes: config.l1MaxResponseBytes };
  const request = createOutboundFetch({ ...config, env: process.env });
  return createJsonRpc({ urls: endpoints.urls, ...limits }, { fetch: request, endpoints });
}

/** Beacon nodes of the configuration, or of the network; may be none. */
export function createBeacons(config: RollupConfig, descriptor: NetworkDescriptor): BeaconApi[] {
  const urls = config.beaconUrls.length > 0 ? config.beaconUrls : (descriptor.endpoints.l1Beacon ?? []);
  const limits = { timeoutMs: config.l1TimeoutMs, maxResponseBytes: config.l1MaxResponseBytes };
  const request = createOutboundFetch({ ...config, env: process.env });
  return urls.map((url) => createBeaconApi({ url, ...limits }, request));
}

/** For nectar_syncStatus. */
export function describeEndpoints(endpoints: Pick<Endpoints, 'list'>): Record<string, unknown>[] {
  return endpoints.list().map(({ head, lag, ...state }) => ({
    ...state,
    ...(head !== undefined && { head: `0x${head.toString(16)}` }),
    ...(lag !== undefined && { lag: `0x${lag.toString(16)}` }),
  }));
}
