import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { ShardList } from '../../protocol/storage/shard-lists.ts';
import type { IndexOp } from './index-db.ts';
import type { SegmentEntry } from './shard-entries.ts';
import type {
  BroughtShard,
  ShardAudit,
  ShardAuditAnswer,
  ShardCondition,
  ShardFault,
  ShardNews,
  ShardTask,
} from './shards.ts';

/** Blobs that are gone: what takes their segments out of the index, and who is to be told of which shard. */
export interface ShardRemoval {
  readonly ops: readonly IndexOp[];
  readonly blobs: readonly { readonly root: Cid; readonly holders: readonly PeerIdText[] }[];
}

/** The shards of our blobs at others. All changes come one after the other. */
export interface Sharding {
  load(): Promise<void>;
  /** Whether blobs are coded and not replicated now. */
  isCoding(): boolean;
  holders(): PeerIdText[];
  work(news: ShardNews): Promise<readonly ShardTask[]>;
  brought(of: BroughtShard): Promise<void>;
  audits(): Promise<readonly ShardAudit[]>;
  audited(answer: ShardAuditAnswer): Promise<void>;
  /** False: this is no shard of ours. */
  fault(id: Cid, of: ShardFault): Promise<boolean>;
  /** A block of a shard on its way to its holder. */
  block(cid: Cid): Uint8Array | undefined;
  /** A block of a blob, from its shards; undefined where it has none, or too few are left. */
  recover(root: Cid, cid: Cid, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** A whole segment, from its shards alone. @throws CODING_SHARDS_TOO_FEW */
  read(segment: SegmentEntry, signal: AbortSignal): Promise<Uint8Array>;
  removal(roots: readonly Cid[]): Promise<ShardRemoval>;
  segments(root: Cid): Promise<SegmentEntry[]>;
  /** Looks through all segments now, and plans repairs; the shards of `awayFrom` are among them, and it is given no more. */
  lookThrough(awayFrom?: PeerIdText): Promise<void>;
  condition(): ShardCondition;
  lists(): Promise<readonly ShardList[]>;
}
