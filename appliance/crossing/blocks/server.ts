import type { Keys } from '../../keys/index.ts';
import type { Store } from '../../store/index.ts';
import { collect, once } from '../collect.ts';
import { downloadRoute, feedRoute, type Route, unaryRoute, uploadRoute } from '../route.ts';
import {
  getBlock,
  getHeld,
  handIn,
  holdBlock,
  MAX_BLOCK_BYTES,
  markAnchored,
  markReplicated,
  released,
  releaseHeld,
  secrets,
  unanchored,
  underReplicated,
  wanted,
} from './contract.ts';
import type { WantedBlocks } from './wanted-blocks.ts';

type BlockStore = Pick<Store, 'blocks' | 'held' | 'underReplicated' | 'markReplicated' | 'unanchored' | 'markAnchored'>;

export interface BlocksCrossingParts {
  readonly store: BlockStore;
  readonly keys: Pick<Keys, 'whenUnlocked' | 'derive' | 'openIdentity'>;
  readonly wants: WantedBlocks;
}

/** What the rollup role may ask of the store: ciphertext, commitments, and its own three secrets. */
export function blocksRoutes({ store, keys, wants }: BlocksCrossingParts): Route[] {
  return [
    downloadRoute(getBlock, async ({ cid }) => maybe(await store.blocks.get(cid))),
    unaryRoute(underReplicated, ({ limit }) => store.underReplicated(limit)),
    unaryRoute(markReplicated, async ({ root, holder }) => {
      await store.markReplicated(root, holder);
      return null;
    }),
    unaryRoute(unanchored, ({ limit }) => store.unanchored(limit)),
    unaryRoute(markAnchored, async ({ items, anchor }) => {
      await store.markAnchored(items, anchor);
      return null;
    }),
    uploadRoute(holdBlock, async ({ owner, root, cid }, body) => {
      const bytes = await collect(body, MAX_BLOCK_BYTES, { service: 'rollup', operation: holdBlock.name });
      await store.held.hold(owner, root, { cid, bytes });
      return null;
    }),
    downloadRoute(getHeld, async ({ owner, cid }) => maybe(await store.held.get(owner, cid))),
    unaryRoute(releaseHeld, async ({ owner, root }) => {
      await store.held.release(owner, root);
      return null;
    }),
    downloadRoute(secrets, async (_, gone) => {
      await keys.whenUnlocked(gone);
      return { head: null, body: wiping(await rollupSecrets(keys)) };
    }),
    feedRoute(wanted, (_, send, gone) => wants.listen(send, gone)),
    uploadRoute(handIn, async ({ id, found }, body) => {
      const bytes = await collect(body, MAX_BLOCK_BYTES, { service: 'rollup', operation: handIn.name });
      wants.handIn(id, found ? bytes : undefined);
      return null;
    }),
    unaryRoute(released, ({ id, holders }) => {
      wants.released(id, holders);
      return null;
    }),
  ];
}

function maybe(bytes: Uint8Array | undefined): { head: { found: boolean }; body: AsyncIterable<Uint8Array> } {
  return { head: { found: bytes !== undefined }, body: once(bytes ?? new Uint8Array(0)) };
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
