/** The map of shards: sealed values of the index, and with it in every backup. */
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { StorageClassName } from '../../protocol/coding/storage-class.ts';

/** `waiting`: to be brought to its holder; `taken`: the holder said that it is durable; `placed`: it passed an audit; `lost`: to be made anew. */
export type ShardStage = 'waiting' | 'taken' | 'placed' | 'lost';

/** One shard of a segment; its index is its place in the list. */
export interface ShardEntry {
  /** 32 random bytes in the form of a CID: all that the holder knows it by. */
  readonly id: Cid;
  /** R, hex. */
  readonly root: string;
  /** Blocks of its bytes as they travel, in their order. */
  readonly blocks: readonly Cid[];
  readonly stage: ShardStage;
  readonly holder?: PeerIdText;
  /** They had this shard and lost it: it is not brought there again. */
  readonly former?: readonly PeerIdText[];
}

/** Some blocks of a sealed blob that are coded together. */
export interface SegmentEntry {
  readonly v: 1;
  /** Of the blob. */
  readonly root: Cid;
  readonly number: number;
  /** 32 random bytes, base64: with the owner's secret it makes the keys of the shards. */
  readonly id: string;
  readonly storageClass: StorageClassName;
  /** The blocks one after the other, then zeros up to `length`. */
  readonly blocks: readonly { readonly cid: Cid; readonly bytes: number }[];
  readonly length: number;
  readonly shardBytes: number;
  readonly shards: readonly ShardEntry[];
}

/** Where a shard belongs. */
export interface ShardPlaceEntry {
  readonly root: Cid;
  readonly number: number;
  readonly index: number;
}

/** What audits made of a holder of our shards. Moments in milliseconds since the epoch. */
export interface ShardHolderEntry {
  readonly holder: PeerIdText;
  readonly alpha: number;
  readonly beta: number;
  readonly passed: number;
  readonly isOut: boolean;
  /** The owner moved its shards away from it: it is given none. */
  readonly isLeft?: boolean;
  readonly provedAt?: number;
  readonly auditAt?: number;
  readonly silentSince?: number;
  readonly askedAt?: number;
  readonly pending?: { readonly since: number; readonly last: number; readonly tries: number; readonly seed: string };
}

/** What this node codes by. */
export interface ShardingEntry {
  readonly v: 1;
  /** 32 random bytes, base64. */
  readonly secret: string;
}

/** A shard of another owner whose root was computed here. */
export interface HeldShardEntry {
  readonly owner: PeerIdText;
  readonly id: Cid;
  /** R, hex. */
  readonly root: string;
  readonly bytes: number;
  readonly blocks: readonly Cid[];
  /** Hashes of its pieces, base64. */
  readonly pieces: string;
}
