/** What the store says of the replicas of its blobs, and hears of those that hold them. */
import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { ShardLists } from '../../protocol/storage/shard-lists.ts';
import type {
  BroughtShard,
  HeldShards,
  RecordShards,
  ShardAudit,
  ShardAuditAnswer,
  ShardCondition,
  ShardDrill,
  ShardNews,
  ShardTask,
} from './shards.ts';

/** A blob that wants for holders. */
export interface UnderReplicated {
  readonly root: Cid;
  readonly blocks: readonly Cid[];
  readonly holders: readonly PeerIdText[];
  /** They count no more, and may have some of it all the same. */
  readonly former: readonly PeerIdText[];
  /** Not to be asked. */
  readonly barred: readonly PeerIdText[];
}

/** Whether a holder has a block of a blob of ours. */
export interface HeldQuestion {
  readonly holder: PeerIdText;
  readonly root: Cid;
  readonly cid: Cid;
}

/** `false`: other bytes, or a proof that does not follow from ours; `out`: the registry does not admit it, it was not asked. */
export interface HolderAnswer extends HeldQuestion {
  readonly outcome: 'proved' | 'absent' | 'false' | 'silent' | 'out';
  /** Of what it sent in place of the block, hex. */
  readonly sha256?: string;
}

export interface HolderStanding {
  readonly holder: PeerIdText;
  /** `late`: it has not answered lately, and is not counted until it does. */
  readonly state: 'good' | 'late' | 'lost' | 'out' | 'distrusted';
  readonly provedAt?: string;
  /** False answers of the last 30 days. */
  readonly faults: number;
}

/** Blobs that a holder is to take away. */
export interface PendingRelease {
  readonly holder: PeerIdText;
  readonly roots: readonly Cid[];
}

/** What the holder signed about it; verified where it came in, and kept so that anybody can verify it again. */
export interface ReceiptedRelease extends PendingRelease {
  readonly receipt: {
    /** Of the request, hex. */
    readonly nonce: string;
    /** Days since 1970, by the holder's clock. */
    readonly epoch: number;
    /** Ciphertext that went. */
    readonly bytes: number;
    /** Ed25519 of the holder's peer key, base64. */
    readonly signature: string;
  };
}

/** Blobs of ours with others. */
export interface ReplicatedBlobs {
  underReplicated(limit: number): Promise<readonly UnderReplicated[]>;
  /** The holder has the blob, and has proved a block of it. */
  markReplicated(root: Cid, holder: PeerIdText): Promise<void>;
  /** What to ask holders now: `count` versions drawn at random, and something of every holder. */
  holderQuestions(count: number): Promise<readonly HeldQuestion[]>;
  /** Who gives false answers counts no more for that blob, who is silent or out too long for none: others are to be found. */
  holderAnswered(answer: HolderAnswer): Promise<void>;
  /** What to tell whom now, of at most so many holders, in turn. */
  pendingReleases(limit: number): Promise<readonly PendingRelease[]>;
  /** A holder signed that these are gone with it: the receipt goes into the log, and it is not told again. */
  released(release: ReceiptedRelease): Promise<void>;
}

/** Shards of our blobs with others, and of theirs with us. */
export interface ShardedBlobs extends ShardLists {
  /** Shards of others; their blocks are among `held`. */
  readonly shards: Pick<HeldShards, 'freeBytes' | 'take' | 'proveLeaves'>;
  shardHolders(): Promise<readonly PeerIdText[]>;
  /** Takes what was heard of members, and says what to bring to whom now. */
  shardWork(news: ShardNews): Promise<readonly ShardTask[]>;
  shardBrought(of: BroughtShard): Promise<void>;
  shardAudits(): Promise<readonly ShardAudit[]>;
  shardAudited(answer: ShardAuditAnswer): Promise<void>;
  shardsOf(id: RecordId): Promise<RecordShards>;
  /** Reads a segment of a record from its holders alone, and throws unless every byte is right. */
  drill(of: { readonly recordId: RecordId; readonly segment: number }, signal: AbortSignal): Promise<ShardDrill>;
  /** Looks through all segments now. With `awayFrom` that holder's shards are made anew elsewhere, and it is given no more. */
  repairShards(options: { readonly awayFrom?: PeerIdText }): Promise<ShardCondition>;
}

/** What this node takes of other owners. */
export interface Offer {
  /** All of them together; 0: it holds nothing for others. */
  readonly bytes: number;
  /** Of it is taken. More than `bytes` where the offer was made smaller: that stays until it is released. */
  readonly heldBytes: number;
  readonly from: 'configuration' | 'command';
}

/** Blobs of others with us. */
export interface HeldBlocks {
  hold(owner: PeerIdText, root: Cid, block: { readonly cid: Cid; readonly bytes: Uint8Array }): Promise<void>;
  get(owner: PeerIdText, cid: Cid): Promise<Uint8Array | undefined>;
  /** A block that another root of the owner links stays. With `cids` only these go: what a refused upload had brought. Resolves with the bytes that went, once that is durable. */
  release(owner: PeerIdText, root: Cid, cids?: readonly Cid[]): Promise<number>;
  bytes(): number;
  /** Whose blocks are here, as far as they are known. */
  owners(): Promise<readonly PeerIdText[]>;
  /** Whether something is held for this peer. */
  owes(owner: PeerIdText): Promise<boolean>;
  /**
   * Removes what nobody comes back for: blobs that were never brought whole, and all that is held for an owner whom the registry has not
   * admitted for `store.heldGraceMs`. Owners of whom nothing is said keep what they have.
   */
  tidy(standings: readonly { readonly owner: PeerIdText; readonly isMember: boolean }[]): Promise<void>;
}
