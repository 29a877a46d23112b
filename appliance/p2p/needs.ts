/** What this service needs from others; wire.ts satisfies it. */
import type { Cid, Hex, PeerIdText } from '../../protocol/brand.ts';
import type { ChallengeAnswer } from '../../protocol/network/challenge-exchange.ts';
import type { NamedLeaf, ShardAnswer, ShardToTake } from '../../protocol/network/shard-exchange.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { P2pConfig } from './config.ts';

/** NodeRegistry as our own derived state has it; no peer is asked who may be a peer. */
export interface Registry {
  isAuthorized(peerId: PeerIdText): Promise<boolean>;
  members(): Promise<readonly { readonly peerId: PeerIdText; readonly addresses: readonly string[] }[]>;
  /** The entry that an auditor passed last for a peer, whatever became of it since. */
  holder(peerId: PeerIdText): Promise<{ readonly addresses: readonly string[]; readonly status?: string } | undefined>;
}

/** What a holder sent in place of a block. */
export interface FalseBlock {
  readonly holder: PeerIdText;
  readonly root: Cid;
  readonly cid: Cid;
  /** Of the bytes that came, hex. */
  readonly sha256: string;
}

export type Verdict = 'accept' | 'ignore' | 'reject';

/** Unsafe blocks: opaque, encoded, signed by the sequencer. */
export interface UnsafeBlocks {
  accept(encoded: Uint8Array): Promise<Verdict>;
  range(from: bigint, limit: number): Promise<readonly Uint8Array[]>;
  onUnsafe(listener: (encoded: Uint8Array) => void): () => void;
  /** Number of our own unsafe head. */
  head(): bigint;
}

/** Our own ciphertext blocks. */
export interface OwnBlocks {
  get(cid: Cid): Promise<Uint8Array | undefined>;
}

/** Ciphertext blocks that we keep for other owners. */
export interface HeldBlocks {
  /** Resolves once durable. */
  hold(owner: PeerIdText, root: Cid, block: { cid: Cid; bytes: Uint8Array }): Promise<void>;
  get(owner: PeerIdText, cid: Cid): Promise<Uint8Array | undefined>;
  /** With `cids` only these blocks of it. Resolves with the bytes that went, once that is durable. */
  release(owner: PeerIdText, root: Cid, cids?: readonly Cid[]): Promise<number>;
  /** Whether something is held for this peer. */
  owes(owner: PeerIdText): Promise<boolean>;
}

/** Shards that we keep for other owners; their blocks are among the held blocks. */
export interface HeldShards {
  /** What this owner may still bring. */
  freeBytes(owner: PeerIdText): Promise<number>;
  /** Takes a shard whose blocks are here; resolves once that is durable. */
  take(owner: PeerIdText, shard: ShardToTake): Promise<ShardAnswer>;
  proveLeaves(owner: PeerIdText, leaves: readonly NamedLeaf[]): Promise<ShardAnswer>;
}

/** The data of batches that this node derived: public, encoded as protocol/rollup/batch-data.ts has it. */
export interface KeptBatches {
  find(batch: { readonly sequenceNumber: bigint; readonly dataHash: Hex }): Promise<Uint8Array | undefined>;
}

/** The challenges of this node's stake. */
export interface OwnChallenges {
  /** Takes a move of an opponent, encoded as protocol/dispute/message.ts has it. */
  hear(encoded: Uint8Array): Promise<ChallengeAnswer>;
}

export interface P2pOptions extends P2pConfig {
  readonly l2ChainId: bigint;
  /** Members that are asked to hold each sealed blob, together. */
  readonly replicas: number;
  /** The descriptor's bootstrap multiaddrs: dialled, and admitted without being in the registry. */
  readonly bootstrap: readonly string[];
}

export interface P2pDeps {
  /** The node's Ed25519 seed (32 bytes); asked for at start, when the keys are open. */
  readonly identitySeed: () => Promise<Uint8Array>;
  readonly registry: Registry;
  readonly unsafe: UnsafeBlocks;
  /** Called on every new L2 head of our own, once its state is readable. */
  readonly onHead: (listener: () => void) => () => void;
  /** A node without a store (the devnet's sequencer) holds nothing and offers nothing. */
  readonly blocks?: OwnBlocks;
  readonly held?: HeldBlocks;
  /** A node without a store, or without a coding, keeps no shards. */
  readonly shards?: HeldShards;
  /** False: answers no questions about held blocks, as versions before did. */
  readonly proofs?: false;
  /** False: signs no receipts of what it released, as versions before did. */
  readonly receipts?: false;
  /** Hears of every block of a holder whose bytes are not those of its CID. */
  readonly onFalseBlock?: (found: FalseBlock) => void;
  /** Answers a member that asks for a cosignature; a node without one cosigns nothing. */
  readonly witness?: { answer(peerId: PeerIdText, request: Uint8Array): Promise<Uint8Array> };
  /** A node without an archive serves none. */
  readonly batches?: KeptBatches;
  /** A node without a stake has none. */
  readonly challenges?: OwnChallenges;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
