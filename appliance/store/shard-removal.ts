import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { StoreCore } from './core.ts';
import type { ShardRemoval } from './own-shards.ts';

/** For the commit that takes blobs away: their holders, and those of their shards. */
export async function withShards(
  core: StoreCore,
  blobs: readonly { readonly root: Cid; readonly holders: readonly PeerIdText[] }[],
): Promise<ShardRemoval> {
  const { ops, blobs: shards } = await core.sharding.removal(blobs.map(({ root }) => root));
  return { ops, blobs: [...blobs, ...shards] };
}
