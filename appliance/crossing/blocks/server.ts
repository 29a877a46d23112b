import type { Keys } from '../../keys/index.ts';
import type { Store } from '../../store/index.ts';
import type { Route } from '../route.ts';
import { routesOf } from '../routes-of.ts';
import { blocks } from './contract.ts';
import type { WantedBlocks } from './wanted-blocks.ts';

type BlockStore = Pick<
  Store,
  | 'blocks'
  | 'held'
  | 'underReplicated'
  | 'markReplicated'
  | 'holderQuestions'
  | 'holderAnswered'
  | 'pendingReleases'
  | 'released'
  | 'shards'
  | 'shardHolders'
  | 'shardWork'
  | 'shardBrought'
  | 'shardAudits'
  | 'shardAudited'
  | 'unanchored'
  | 'markAnchored'
>;

export interface BlocksCrossingParts {
  readonly store: BlockStore;
  readonly keys: Pick<Keys, 'whenUnlocked' | 'derive' | 'openIdentity'>;
  readonly wants: WantedBlocks;
}

export function blocksRoutes({ store, keys, wants }: BlocksCrossingParts): Route[] {
  return routesOf(blocks, {
    get: (cid) => store.blocks.get(cid),
    underReplicated: (limit) => store.underReplicated(limit),
    markReplicated: (root, holder) => store.markReplicated(root, holder),
    holderQuestions: (count) => store.holderQuestions(count),
    holderAnswered: (answer) => store.holderAnswered(answer),
    pendingReleases: (limit) => store.pendingReleases(limit),
    released: (release) => store.released(release),
    shardHolders: () => store.shardHolders(),
    shardWork: (news) => store.shardWork(news),
    shardBrought: (of) => store.shardBrought(of),
    shardAudits: () => store.shardAudits(),
    shardAudited: (answer) => store.shardAudited(answer),
    freeBytes: (owner) => store.shards.freeBytes(owner),
    takeShard: (owner, shard) => store.shards.take(owner, shard),
    proveLeaves: (owner, leaves) => store.shards.proveLeaves(owner, leaves),
    unanchored: (limit) => store.unanchored(limit),
    markAnchored: (items, anchor) => store.markAnchored(items, anchor),
    hold: (owner, root, cid, bytes) => store.held.hold(owner, root, { cid, bytes }),
    getHeld: (owner, cid) => store.held.get(owner, cid),
    release: (owner, root, cids) => store.held.release(owner, root, cids),
    heldOwners: () => store.held.owners(),
    owes: (owner) => store.held.owes(owner),
    tidyHeld: (standings) => store.held.tidy(standings),
    async secrets(gone) {
      await keys.whenUnlocked(gone);
      return wiping(await rollupSecrets(keys));
    },
    wanted: (tell, gone) => wants.listen(tell, gone),
    handIn: (id, isFound, bytes) => wants.handIn(id, isFound ? bytes : undefined),
  });
}

async function rollupSecrets(keys: BlocksCrossingParts['keys']): Promise<Uint8Array[]> {
  return [keys.derive('rollup-db'), await keys.openIdentity('operator'), await keys.openIdentity('p2p')];
}

async function* wiping(secretBytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* secretBytes;
  } finally {
    // Asked for the next one means that this one was written; what the kernel holds of it, the other side reads.
    for (const secret of secretBytes) setImmediate(() => secret.fill(0));
  }
}
