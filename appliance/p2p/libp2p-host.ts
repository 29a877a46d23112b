import { type GossipSub, gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { createTopicScoreParams } from '@libp2p/gossipsub/score';
import { type Identify, identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { MAX_GOSSIP_BLOCK_BYTES } from '../../protocol/network/frame.ts';
import type { P2pConfig } from './config.ts';
import { type Crowd, limitInbound } from './inbound-limit.ts';

/** Room for gossipsub's own fields around one block. */
const GOSSIP_OVERHEAD_BYTES = 64 * 1024;
/** What waits for one slow peer before it misses messages; it catches up by range. */
const MAX_GOSSIP_BACKLOG_BYTES = 4 * (MAX_GOSSIP_BLOCK_BYTES + GOSSIP_OVERHEAD_BYTES);
/** Connections per second from one address; more are cut before any cryptography. */
const MAX_INBOUND_PER_SECOND = 20;
/** Half-open handshakes; many and short, so that strangers who never finish theirs do not keep members out. */
const MAX_PENDING_INBOUND = 64;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export type Host = Libp2p<{ identify: Identify; ping: Ping; gossip: GossipSub }>;

export interface HostOptions {
  readonly config: P2pConfig;
  readonly privateKey: PrivateKey;
  readonly topic: string;
  readonly gater: ConnectionGater;
  /** Hears of connections that were cut before their handshake. */
  readonly onCrowd: (crowd: Crowd) => void;
}

/** One libp2p host: TCP, noise, yamux, identify, ping (dead connections are found by it), gossipsub. Not started. */
export async function createHost({ config, privateKey, topic, gater, onCrowd }: HostOptions): Promise<Host> {
  const family = config.listenHost.includes(':') ? 'ip6' : 'ip4';
  return await createLibp2p({
    start: false,
    privateKey,
    // Peers learn no versions of the machine: what runs here is nobody's business but its owner's.
    nodeInfo: { name: 'nectar-byon', version: '1', userAgent: 'nectar-byon' },
    addresses: {
      listen: [`/${family}/${config.listenHost}/tcp/${config.listenPort}`],
      announce: [...config.announce],
    },
    transports: [
      limitInbound(tcp({ maxConnections: config.maxConnections }), {
        maxPending: MAX_PENDING_INBOUND,
        onRefused: onCrowd,
      }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: gater,
    connectionManager: {
      maxConnections: config.maxConnections,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND,
      inboundConnectionThreshold: MAX_INBOUND_PER_SECOND,
      inboundUpgradeTimeout: HANDSHAKE_TIMEOUT_MS,
      dialTimeout: HANDSHAKE_TIMEOUT_MS,
      // Our own dialer decides whom to dial and when: it knows the registry.
      reconnectRetries: 0,
    },
    services: { identify: identify(), ping: ping(), gossip: gossipsub(gossipOptions(topic)) },
  });
}

/**
 * StrictNoSign: a block carries the sequencer's signature, and that is the only one that counts. A signature of the
 * peer that publishes would say who relays first, which is nobody's business, and cost every node a verification.
 */
function gossipOptions(topic: string): Parameters<typeof gossipsub>[0] {
  return {
    globalSignaturePolicy: StrictNoSign,
    allowedTopics: [topic],
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    doPX: false,
    emitSelf: false,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    // A peer's next message waits until its last one was judged: whoever floods, floods its own socket.
    awaitRpcHandler: true,
    maxInboundDataLength: MAX_GOSSIP_BLOCK_BYTES + GOSSIP_OVERHEAD_BYTES,
    maxOutboundBufferSize: MAX_GOSSIP_BACKLOG_BYTES,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 64,
      maxIhaveMessageIDs: 1024,
      maxIwantMessageIDs: 1024,
      maxIdontwantMessageIDs: 1024,
      maxControlMessages: 1024,
      maxPeerInfos: 16,
    },
    scoreParams: {
      // Membership is what makes a peer id dear here; members behind one hospital's NAT share an address honestly.
      IPColocationFactorWeight: 0,
      topics: {
        [topic]: createTopicScoreParams({
          topicWeight: 1,
          // Three invalid blocks and the peer is graylisted: a member has no honest reason to relay one.
          invalidMessageDeliveriesWeight: -20,
          invalidMessageDeliveriesDecay: 0.99,
          // Blocks come when there are transactions: silence is no fault.
          meshMessageDeliveriesWeight: 0,
          meshFailurePenaltyWeight: 0,
        }),
      },
    },
  };
}
