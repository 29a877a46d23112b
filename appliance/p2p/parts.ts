import type { ConnectionGater, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerIdText } from '../../protocol/brand.ts';
import { type BatchRequest, MAX_BATCH_ANSWER_BYTES } from '../../protocol/network/batch-exchange.ts';
import { MAX_EXCHANGE_ANSWER_BYTES } from '../../protocol/network/block-exchange.ts';
import { PROOF_QUESTION_BYTES } from '../../protocol/network/block-proof.ts';
import { type ChallengeAnswer, MAX_CHALLENGE_ANSWER_BYTES } from '../../protocol/network/challenge-exchange.ts';
import { peerIdOfAddress } from '../../protocol/network/descriptor.ts';
import { FRAME_HEADER_BYTES } from '../../protocol/network/frame.ts';
import { peerIdOf } from '../../protocol/network/node-identity.ts';
import { type ProtocolNames, protocolNames } from '../../protocol/network/protocol-names.ts';
import { MAX_RELEASE_REQUEST_BYTES } from '../../protocol/network/release-exchange.ts';
import {
  MAX_SHARD_ANSWER_BYTES,
  MAX_SHARD_QUESTION_BYTES,
  type ShardAnswer,
  type ShardQuestion,
} from '../../protocol/network/shard-exchange.ts';
import { MAX_RANGE_BLOCKS, MAX_RANGE_BYTES } from '../../protocol/network/unsafe-range.ts';
import { MAX_WITNESS_ANSWER_BYTES, MAX_WITNESS_REQUEST_BYTES } from '../../protocol/network/witness-exchange.ts';
import { type Admission, createAdmission } from './admission.ts';
import { askBatch, type BatchServer, createBatchServer } from './batch-exchange.ts';
import { type BlockClient, createBlockClient } from './block-client.ts';
import { type BlockServer, createBlockServer } from './block-server.ts';
import { type ChallengeServer, createChallengeServer, exchangeChallenge } from './challenge-exchange.ts';
import { createDialer, type Dialer } from './dialer.ts';
import { FrameStream } from './frame-stream.ts';
import { openIdentityKey } from './identity.ts';
import { createHost, type Host } from './libp2p-host.ts';
import type { P2pMetrics } from './metrics.ts';
import type { FalseBlock, P2pDeps, P2pOptions, Registry } from './needs.ts';
import { dialableAddresses, isPrivateAddress } from './peer-address.ts';
import { createProofServer, type ProofServer } from './proof-exchange.ts';
import { createReleaseClient, type Release } from './release-client.ts';
import { createReleaseServer, type ReleaseServer } from './release-exchange.ts';
import { createShardServer, exchangeShard, type ShardServer } from './shard-exchange.ts';
import { createUnsafeSync, type UnsafeSync } from './unsafe-sync.ts';
import { createWitnessServer, exchangeWitness, type WitnessServer } from './witness-exchange.ts';

const EXCHANGE_BUFFER_BYTES = MAX_EXCHANGE_ANSWER_BYTES + FRAME_HEADER_BYTES;
const PROOF_BUFFER_BYTES = PROOF_QUESTION_BYTES + FRAME_HEADER_BYTES;
const RELEASE_BUFFER_BYTES = MAX_RELEASE_REQUEST_BYTES + FRAME_HEADER_BYTES;
const WITNESS_BUFFER_BYTES = Math.max(MAX_WITNESS_REQUEST_BYTES, MAX_WITNESS_ANSWER_BYTES) + FRAME_HEADER_BYTES;
const BATCH_BUFFER_BYTES = MAX_BATCH_ANSWER_BYTES + FRAME_HEADER_BYTES;
const CHALLENGE_BUFFER_BYTES = MAX_CHALLENGE_ANSWER_BYTES + FRAME_HEADER_BYTES;
const SHARD_BUFFER_BYTES = Math.max(MAX_SHARD_QUESTION_BYTES, MAX_SHARD_ANSWER_BYTES) + FRAME_HEADER_BYTES;
const RANGE_BUFFER_BYTES = MAX_RANGE_BYTES + (MAX_RANGE_BLOCKS + 1) * FRAME_HEADER_BYTES;

/** The parts of one running host, joined; nothing runs yet. */
export interface P2pParts {
  readonly host: Host;
  readonly self: PeerIdText;
  readonly names: ProtocolNames;
  readonly admission: Admission;
  readonly dialer: Dialer;
  readonly client: BlockClient;
  /** Tells a holder that blobs need not be kept. */
  readonly release: Release;
  /** Undefined on a node that holds nothing for others. */
  readonly server: BlockServer | undefined;
  /** The same. */
  readonly proofs: ProofServer | undefined;
  /** The same. */
  readonly releases: ReleaseServer | undefined;
  /** Undefined on a node that keeps no shards. */
  readonly shards: ShardServer | undefined;
  /** Asks a holder about shards. */
  readonly askShards: (holder: PeerIdText, question: ShardQuestion, signal: AbortSignal) => Promise<ShardAnswer>;
  /** Undefined on a node that cosigns nothing. */
  readonly witness: WitnessServer | undefined;
  /** Asks a member for a cosignature. */
  readonly askWitness: (peerId: PeerIdText, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
  /** Undefined on a node that has no archive. */
  readonly batches: BatchServer | undefined;
  /** Asks a peer for the data of a batch. */
  readonly askBatch: (peerId: PeerIdText, batch: BatchRequest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Undefined on a node without a stake. */
  readonly challenges: ChallengeServer | undefined;
  /** Says a move of a challenge to a peer. */
  readonly askChallenge: (peerId: PeerIdText, encoded: Uint8Array, signal: AbortSignal) => Promise<ChallengeAnswer>;
  /** Connected members. */
  readonly members: () => Promise<PeerIdText[]>;
  readonly sync: UnsafeSync;
  readonly frames: FrameFactory;
}

/** Frames on a stream, with the bounds of its protocol. */
interface FrameFactory {
  exchange(stream: Stream, signal: AbortSignal): FrameStream;
  range(stream: Stream, signal: AbortSignal): FrameStream;
  proof(stream: Stream, signal: AbortSignal): FrameStream;
  release(stream: Stream, signal: AbortSignal): FrameStream;
  witness(stream: Stream, signal: AbortSignal): FrameStream;
  batch(stream: Stream, signal: AbortSignal): FrameStream;
  challenge(stream: Stream, signal: AbortSignal): FrameStream;
  shard(stream: Stream, signal: AbortSignal): FrameStream;
}

export async function createParts(options: P2pOptions, deps: P2pDeps, metrics: P2pMetrics): Promise<P2pParts> {
  const { registry, log, now } = deps;
  const privateKey = await openIdentityKey(await deps.identitySeed());
  const self = peerIdOf(privateKey.publicKey.raw);
  const names = protocolNames(options.l2ChainId);
  const admission = createAdmission(new Set(options.bootstrap.map(peerIdOfAddress)), {
    ...{ registry, log, metrics, now },
    ...(deps.held !== undefined && { owes: (peerId: PeerIdText) => deps.held?.owes(peerId) ?? Promise.resolve(false) }),
  });
  const host = await createHost({
    config: options,
    privateKey,
    topic: names.blocksTopic,
    gater: createGater(admission, options),
    onCrowd: (reason) => metrics.refused.inc({ direction: 'inbound', reason }),
  });
  const connected = (): Set<string> => new Set(host.getPeers().map(String));
  const frames = createFrameFactory(options, metrics);
  const streams = createStreams(host, { names, frames, registry, admission, options });
  const dial: Parameters<typeof createDialer>[1]['dial'] = async (addresses, signal) =>
    void (await host.dial(addresses, { signal }));
  const members = async (): Promise<PeerIdText[]> => await membersAmong(connected(), admission);
  const isAdmitted = (peerId: PeerIdText): Promise<boolean> => admission.isAdmitted(peerId);
  const isMember = (peerId: PeerIdText): Promise<boolean> => admission.isMember(peerId);
  const client = createBlockClient(options.replicas, {
    blocks: deps.blocks,
    members,
    open: streams.exchange,
    openProof: streams.proof,
    onFalseBlock: createFalseBlocks(deps, metrics),
    log,
  });
  const releasing = { l2ChainId: options.l2ChainId, self, log, now };
  return {
    host,
    self,
    names,
    admission,
    frames,
    dialer: createDialer(options, {
      self,
      bootstrap: options.bootstrap,
      registry,
      admission,
      connected,
      dial,
      log,
      metrics,
      now,
    }),
    sync: createUnsafeSync({ unsafe: deps.unsafe, open: streams.range, log, metrics }),
    client,
    release: createReleaseClient({ ...releasing, open: streams.release, forget: client.forget }),
    releases:
      deps.receipts === false
        ? undefined
        : deps.held && createReleaseServer({ ...releasing, held: deps.held, sign: (bytes) => privateKey.sign(bytes) }),
    proofs: deps.proofs === false ? undefined : deps.held && createProofServer({ held: deps.held, log, now }),
    members,
    shards: deps.shards && createShardServer({ shards: deps.shards, isMember, log, now }),
    askShards: async (holder, question, signal) => exchangeShard(await streams.shard(holder, signal), question),
    batches: deps.batches && createBatchServer({ batches: deps.batches, isAdmitted, log, now }),
    askBatch: (peerId, batch, signal) => askBatch((until) => streams.batch(peerId, until), batch, signal),
    challenges: deps.challenges && createChallengeServer({ challenges: deps.challenges, isAdmitted, log, now }),
    askChallenge: async (peerId, encoded, signal) =>
      exchangeChallenge(await streams.challenge(peerId, signal), encoded),
    witness: deps.witness && createWitnessServer({ witness: deps.witness, isMember, log, now }),
    askWitness: async (peerId, request, signal) => exchangeWitness(await streams.witness(peerId, signal), request),
    server: deps.held && createBlockServer(options.maxExchanges, { held: deps.held, isMember, log, metrics }),
  };
}

function createGater(admission: Admission, options: P2pOptions): ConnectionGater {
  const bootstrap = new Set(options.bootstrap);
  return {
    // Also what a peer says of itself by identify is dialled one day.
    denyDialMultiaddr: (address) =>
      !options.allowPrivateAddresses && !bootstrap.has(address.toString()) && isPrivateAddress(address.toString()),
    denyDialPeer: async (peer) => !admission.isLent(peer.toString()) && !(await admission.isAdmitted(peer.toString())),
    denyInboundEncryptedConnection: async (peer) => await admission.refuses(peer.toString(), 'inbound'),
    denyOutboundEncryptedConnection: async (peer) => await admission.refuses(peer.toString(), 'outbound'),
  };
}

function createFrameFactory(options: P2pOptions, metrics: P2pMetrics): FrameFactory {
  const create = (stream: Stream, maxBufferedBytes: number, signal: AbortSignal): FrameStream =>
    new FrameStream(stream, {
      timeoutMs: options.streamTimeoutMs,
      maxBufferedBytes,
      maxOpenMs: options.maxExchangeMs,
      signal,
      onBytes: (direction, bytes) => metrics.streamBytes.inc({ direction }, bytes),
    });
  return {
    exchange: (stream, signal) => create(stream, EXCHANGE_BUFFER_BYTES, signal),
    range: (stream, signal) => create(stream, RANGE_BUFFER_BYTES, signal),
    proof: (stream, signal) => create(stream, PROOF_BUFFER_BYTES, signal),
    release: (stream, signal) => create(stream, RELEASE_BUFFER_BYTES, signal),
    witness: (stream, signal) => create(stream, WITNESS_BUFFER_BYTES, signal),
    batch: (stream, signal) => create(stream, BATCH_BUFFER_BYTES, signal),
    challenge: (stream, signal) => create(stream, CHALLENGE_BUFFER_BYTES, signal),
    shard: (stream, signal) => create(stream, SHARD_BUFFER_BYTES, signal),
  };
}

type OpenStream = (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;

interface StreamsDeps {
  readonly names: ProtocolNames;
  readonly frames: FrameFactory;
  readonly registry: Registry;
  readonly admission: Admission;
  readonly options: P2pOptions;
}

/** Opens streams to peers: over the connection that is there, or after a dial of the registered addresses. */
function createStreams(
  host: Host,
  deps: StreamsDeps,
): {
  range: OpenStream;
  exchange: OpenStream;
  proof: OpenStream;
  release: OpenStream;
  witness: OpenStream;
  batch: OpenStream;
  challenge: OpenStream;
  shard: OpenStream;
} {
  const { frames, names, options, registry, admission } = deps;
  const open = async (peerId: PeerIdText, protocol: string, stop: AbortSignal): Promise<Stream> => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(options.streamTimeoutMs)]);
    const peer = peerIdFromString(peerId);
    if (host.getConnections(peer).length === 0) {
      const entry = (await registry.members()).find((member) => member.peerId === peerId);
      await host.dial(dialableAddresses(peerId, entry?.addresses ?? [], options.allowPrivateAddresses), { signal });
    }
    return await host.dialProtocol(peer, protocol, { signal });
  };
  /** To a holder that our own index names, also where the registry has put it out: what it has intact is still ours. */
  const openToHolder = async (peerId: PeerIdText, protocol: string, signal: AbortSignal): Promise<Stream> => {
    if (await admission.isAdmitted(peerId)) return await open(peerId, protocol, signal);
    const end = admission.lend(peerId);
    try {
      const peer = peerIdFromString(peerId);
      if (host.getConnections(peer).length === 0) {
        const known = (await registry.holder(peerId))?.addresses ?? [];
        const timed = AbortSignal.any([signal, AbortSignal.timeout(options.streamTimeoutMs)]);
        await host.dial(dialableAddresses(peerId, known, options.allowPrivateAddresses), { signal: timed });
      }
      const stream = await open(peerId, protocol, signal);
      stream.addEventListener('close', () => void endLoan(host, { peer, end, admission }), { once: true });
      return stream;
    } catch (error) {
      await endLoan(host, { peer: peerIdFromString(peerId), end, admission });
      throw error;
    }
  };
  return {
    range: async (peerId, signal) => frames.range(await open(peerId, names.unsafeRange, signal), signal),
    witness: async (peerId, signal) => frames.witness(await open(peerId, names.witness, signal), signal),
    batch: async (peerId, signal) => frames.batch(await open(peerId, names.batches, signal), signal),
    challenge: async (peerId, signal) => frames.challenge(await open(peerId, names.challenges, signal), signal),
    exchange: async (peerId, signal) =>
      frames.exchange(await openToHolder(peerId, names.blockExchange, signal), signal),
    proof: async (peerId, signal) => frames.proof(await openToHolder(peerId, names.proofs, signal), signal),
    shard: async (peerId, signal) => frames.shard(await openToHolder(peerId, names.shards, signal), signal),
    release: async (peerId, signal) => frames.release(await openToHolder(peerId, names.releases, signal), signal),
  };
}

/** A peer that is no member stays connected no longer than it is read from. */
async function endLoan(
  host: Host,
  { peer, end, admission }: { peer: ReturnType<typeof peerIdFromString>; end: () => void; admission: Admission },
): Promise<void> {
  end();
  if (admission.isLent(peer.toString()) || (await admission.isAdmitted(peer.toString()))) return;
  for (const connection of host.getConnections(peer)) connection.abort(new Error('no longer authorized'));
}

/** Counted and logged here; whoever keeps the index keeps the evidence. */
function createFalseBlocks({ log, onFalseBlock }: P2pDeps, metrics: P2pMetrics): (found: FalseBlock) => void {
  return (found) => {
    metrics.falseBlocks.inc();
    log.warn({ ...found }, 'a holder sent other bytes than the block');
    onFalseBlock?.(found);
  };
}

async function membersAmong(peerIds: ReadonlySet<string>, admission: Admission): Promise<PeerIdText[]> {
  const members: PeerIdText[] = [];
  for (const peerId of peerIds as ReadonlySet<PeerIdText>) if (await admission.isMember(peerId)) members.push(peerId);
  return members;
}
