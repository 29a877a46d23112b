import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { NamedLeaf, ShardAnswer, ShardQuestion, ShardToTake } from '../../protocol/network/shard-exchange.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

/** Who holds a blob already, who did, and who is not to be asked. */
export interface Placement {
  readonly holders: readonly PeerIdText[];
  readonly former: readonly PeerIdText[];
  readonly barred: readonly PeerIdText[];
}

export interface HeldQuestion {
  readonly holder: PeerIdText;
  readonly root: Cid;
  readonly cid: Cid;
}

export type ProofOutcome = 'proved' | 'absent' | 'false' | 'silent';

/** Blobs that a holder is to take away. */
interface PendingRelease {
  readonly holder: PeerIdText;
  readonly roots: readonly Cid[];
}

/** What a holder signed about it. */
interface SignedRelease {
  readonly nonce: string;
  readonly epoch: number;
  readonly bytes: number;
  readonly signature: string;
}

/** What was heard of a member, and where its address lies. */
export interface HeardOffer {
  readonly holder: PeerIdText;
  readonly site: string;
  readonly system: number;
  readonly freeBytes: number;
}

/** What was heard of members since the last look; `silent` and `out` are of holders of our shards. */
export interface ShardNews {
  readonly offers: readonly HeardOffer[];
  readonly silent: readonly PeerIdText[];
  readonly out: readonly PeerIdText[];
}

/** A shard to bring. */
export interface ShardTask extends ShardToTake {
  readonly holder: PeerIdText;
}

/** Which shard's first audit it is; absent: the daily one. */
interface AuditOf {
  readonly holder: PeerIdText;
  readonly first?: Cid;
}

interface ShardStore {
  shardHolders(): Promise<readonly PeerIdText[]>;
  shardWork(news: ShardNews): Promise<readonly ShardTask[]>;
  shardBrought(of: { readonly id: Cid; readonly holder: PeerIdText; readonly isTaken: boolean }): Promise<void>;
  shardAudits(): Promise<readonly (AuditOf & { readonly leaves: readonly NamedLeaf[] })[]>;
  shardAudited(
    answer: AuditOf & {
      readonly outcome: 'proofs' | 'absent' | 'silent';
      readonly answer?: Uint8Array;
      readonly question?: number;
    },
  ): Promise<void>;
}

export interface ReplicationDeps {
  readonly store: ShardStore & {
    underReplicated(
      limit: number,
    ): Promise<readonly (Placement & { readonly root: Cid; readonly blocks: readonly Cid[] })[]>;
    markReplicated(root: Cid, holder: PeerIdText): Promise<void>;
    holderQuestions(count: number): Promise<readonly HeldQuestion[]>;
    holderAnswered(answer: HeldQuestion & { readonly outcome: ProofOutcome | 'out' }): Promise<void>;
    pendingReleases(limit: number): Promise<readonly PendingRelease[]>;
    released(release: PendingRelease & { readonly receipt: SignedRelease }): Promise<void>;
  };
  /** What is held here for others. */
  readonly held: {
    owners(): Promise<readonly PeerIdText[]>;
    tidy(standings: readonly { readonly owner: PeerIdText; readonly isMember: boolean }[]): Promise<void>;
  };
  /** Asks peers other than the holders; resolves with those that said the blob is durable with them. */
  readonly replicate: (
    root: Cid,
    blocks: readonly Cid[],
    signal: AbortSignal,
    placed: Placement,
  ) => Promise<readonly PeerIdText[]>;
  /** Asks a holder for a hash that needs the bytes of a block. */
  readonly prove: (question: HeldQuestion, signal: AbortSignal) => Promise<ProofOutcome>;
  /** Tells a holder that it need not keep blobs; the receipt is verified. */
  readonly release: (
    holder: PeerIdText,
    roots: readonly Cid[],
    signal: AbortSignal,
  ) => Promise<
    { readonly outcome: 'receipt'; readonly receipt: SignedRelease } | { readonly outcome: 'told' | 'false' | 'silent' }
  >;
  /** Brings blocks to one holder, under a root; true when it said that they are durable. */
  readonly bring: (holder: PeerIdText, root: Cid, blocks: readonly Cid[], signal: AbortSignal) => Promise<boolean>;
  /** Asks a holder about shards; rejects when it breaks off or is not reached. */
  readonly askShards: (holder: PeerIdText, question: ShardQuestion, signal: AbortSignal) => Promise<ShardAnswer>;
  /** All members of the registry; rejects where it gives no answer. */
  readonly registered: () => Promise<readonly { readonly peerId: PeerIdText; readonly addresses: readonly string[] }[]>;
  /** This node's own name among them. */
  readonly self: () => PeerIdText;
  /** By the registry; rejects where it gives no answer. */
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  /** Whether the registry is that of today: a node that was away for weeks reads an old one first. */
  readonly isCurrent: () => boolean;
  /** Members that are connected now. */
  readonly members: () => Promise<readonly PeerIdText[]>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A whole number below the limit. */
  readonly draw: (limit: number) => number;
}
