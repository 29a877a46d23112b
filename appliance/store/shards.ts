/** What the store says of the shards of its blobs, and hears of those that hold them. */
import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { NamedLeaf, ShardAnswer, ShardToTake } from '../../protocol/network/shard-exchange.ts';
import type { ShardList } from '../../protocol/storage/shard-lists.ts';

/** What was heard of a member. `site` and `system` stand for where its address lies. */
export interface HeardOffer {
  readonly holder: PeerIdText;
  readonly site: string;
  readonly system: number;
  readonly freeBytes: number;
}

/** What was heard of members since the last look. */
export interface ShardNews {
  readonly offers: readonly HeardOffer[];
  /** Holders of our shards that were asked and did not answer. */
  readonly silent: readonly PeerIdText[];
  /** Holders of our shards that the registry does not admit. */
  readonly out: readonly PeerIdText[];
}

/** A shard to bring. */
export interface ShardTask {
  readonly holder: PeerIdText;
  readonly id: Cid;
  readonly root: Uint8Array;
  readonly bytes: number;
  readonly blocks: readonly Cid[];
}

/** How it went. */
export interface BroughtShard {
  readonly id: Cid;
  readonly holder: PeerIdText;
  readonly isTaken: boolean;
}

/** Forty leaves that a holder is to prove. */
export interface ShardAudit {
  readonly holder: PeerIdText;
  /** The shard whose first audit it is; absent: the daily one, over all that the holder has. */
  readonly first?: Cid;
  readonly leaves: readonly NamedLeaf[];
}

/** `absent`: the holder said that the shard of this question is not there. */
export interface ShardAuditAnswer {
  readonly holder: PeerIdText;
  readonly first?: Cid;
  readonly outcome: 'proofs' | 'absent' | 'silent';
  readonly answer?: Uint8Array;
  readonly question?: number;
}

/** Evidence against a holder of a shard. */
export interface ShardFault {
  readonly holder: PeerIdText;
  readonly problem: string;
  /** Of what it sent, hex. */
  readonly sha256?: string;
}

/** A holder as audits left it. */
export interface ShardHolderStanding {
  readonly holder: PeerIdText;
  /** From 0 to 1; below 0.6 it is given nothing new. */
  readonly score: number;
  readonly passed: number;
  readonly isSuspended: boolean;
  /** ISO 8601. */
  readonly provedAt?: string;
}

/** Segments as they stand: how many for each margin, the number of shards that may still go. */
export interface ShardCondition {
  /** Holders that offer something and are trusted. */
  readonly holders: number;
  /** Absent: fewer than five, so blobs are replicated. */
  readonly storageClass?: string;
  readonly segments: number;
  readonly durable: number;
  /** Versions that are not yet durable at other places by shards. */
  readonly waiting: number;
  readonly repairs: number;
  readonly leastMargin?: number;
  readonly margins: Readonly<Record<string, number>>;
  /** Since the holder that is longest silent proved something, in milliseconds. */
  readonly unprovedMs?: number;
  readonly standings: readonly ShardHolderStanding[];
}

/** The newest version of a record by its segments: none where it is replicated, or not coded yet. */
export interface RecordShards {
  readonly recordId: RecordId;
  readonly version: number;
  readonly segments: readonly {
    readonly number: number;
    readonly storageClass: string;
    /** Of ciphertext. */
    readonly bytes: number;
    readonly shards: number;
    /** Those that passed an audit. */
    readonly placed: number;
    /** How many of them may still go. */
    readonly margin: number;
  }[];
}

/** One segment, read from its holders alone: each of its blocks was the one that its CID names. */
export interface ShardDrill {
  readonly recordId: RecordId;
  readonly version: number;
  readonly segment: number;
  readonly bytes: number;
  readonly blocks: number;
}

/** Shards that this node keeps for others. */
export interface HeldShards {
  /** What this owner may still bring. */
  freeBytes(owner: PeerIdText): Promise<number>;
  /** Takes a shard whose blocks are here: reads them, computes R, and answers once that is durable. What is refused is taken away. */
  take(owner: PeerIdText, shard: ShardToTake): Promise<ShardAnswer>;
  /** Proofs of leaves, in the order of the questions. */
  proveLeaves(owner: PeerIdText, leaves: readonly NamedLeaf[]): Promise<ShardAnswer>;
  /** By owner. */
  lists(): Promise<readonly ShardList[]>;
}
