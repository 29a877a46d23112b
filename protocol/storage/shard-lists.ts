import type { PeerIdText } from '../brand.ts';
import type { HeldShard } from './shard-set.ts';

/** The shards between this node and one other. */
export interface ShardList {
  /** The other node: the holder of ours, or the owner of those that are here. */
  readonly peer: PeerIdText;
  /** In no particular order; createShardSet orders them. */
  readonly shards: readonly HeldShard[];
}

/** What a deal is made over: the store of a node answers it, by counterparty. Lists are of the moment. */
export interface ShardLists {
  /** Our shards at others, of which each has passed an audit there. */
  placedShards(): Promise<readonly ShardList[]>;
  /** Shards of others here, whose roots this node has computed itself. */
  heldShards(): Promise<readonly ShardList[]>;
}
