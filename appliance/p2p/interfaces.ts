import type { PeerIdText } from '../../protocol/brand.ts';
import type { BatchRequest } from '../../protocol/network/batch-exchange.ts';
import type { ChallengeAnswer } from '../../protocol/network/challenge-exchange.ts';
import type { ShardAnswer, ShardQuestion } from '../../protocol/network/shard-exchange.ts';
import type { Service } from '../service.ts';
import type { BlockClient } from './block-client.ts';
import type { Release } from './release-client.ts';

export interface PeerInfo {
  readonly peerId: PeerIdText;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** ISO 8601. */
  readonly since: string;
}

export interface P2p extends Service, Omit<BlockClient, 'forget'> {
  peerId(): PeerIdText;
  /** Multiaddrs with /p2p/ under which this node is reached from outside: what it registers. May be none (behind NAT). */
  addresses(): string[];
  peers(): PeerInfo[];
  /** Tells a holder that it need not keep blobs, which it signs. */
  readonly release: Release;
  /** Asks a holder about shards; its answer is not judged. */
  askShards(holder: PeerIdText, question: ShardQuestion, signal: AbortSignal): Promise<ShardAnswer>;
  /** Connected peers that the registry authorizes. */
  members(): Promise<PeerIdText[]>;
  /** Sends a member a request for a cosignature; resolves with its answer, not judged. */
  askWitness(peerId: PeerIdText, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Asks a peer for the data of a batch; undefined when it does not give it. Its answer is not judged. */
  askBatch(peerId: PeerIdText, batch: BatchRequest, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Says a move of a challenge to a peer; its answer is not judged. */
  askChallenge(peerId: PeerIdText, encoded: Uint8Array, signal: AbortSignal): Promise<ChallengeAnswer>;
  /** Whether this node would be admitted by others, as its own state has it: until then it does not dial. */
  isMember(): boolean;
  /** Asks every connected peer for the unsafe blocks after our head; resolves with how many answered. */
  catchUp(signal: AbortSignal): Promise<number>;
  /** Drops peers that the registry no longer authorizes; runs by itself on every L2 head. */
  recheck(): Promise<void>;
}
