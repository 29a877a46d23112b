import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { ReplicationConfig } from './config.ts';
import { inParallel } from './in-parallel.ts';
import type { Placement, ReplicationDeps } from './needs.ts';

/** So many blobs in a row that nobody takes: nobody takes anything now. */
const MAX_REFUSALS = 3;
/** Blobs remembered as tried. */
const MAX_TRIED = 16_384;

type Blob = Placement & { readonly root: Cid; readonly blocks: readonly Cid[] };

/** One pass over the blobs that are due; resolves with the number of new replicas. */
export function createSpreader(
  config: ReplicationConfig,
  deps: ReplicationDeps,
): (signal: AbortSignal) => Promise<number> {
  const tried = new Map<Cid, number>();

  /** Blobs not tried lately: those with a holder too few for want of members come round in the store's queue for ever. */
  async function due(): Promise<readonly Blob[]> {
    const now = deps.now();
    for (const [root, at] of tried) if (now - at >= config.retryMs || now < at) tried.delete(root);
    if (tried.size >= MAX_TRIED) return [];
    return (await deps.store.underReplicated(config.batch)).filter(({ root }) => !tried.has(root));
  }

  /** That a peer says it is durable is no proof: it counts once it has answered for one of the blocks. */
  async function admit(blob: Blob, holder: PeerIdText, signal: AbortSignal): Promise<boolean> {
    const cid = blob.blocks[deps.draw(blob.blocks.length)] ?? blob.root;
    const question = { holder, root: blob.root, cid };
    const outcome = await deps.prove(question, signal);
    if (outcome === 'proved') await deps.store.markReplicated(blob.root, holder);
    else await deps.store.holderAnswered({ ...question, outcome });
    return outcome === 'proved';
  }

  return async (signal) => {
    let count = 0;
    let refusals = 0;
    const spread = async (blob: Blob): Promise<void> => {
      signal.throwIfAborted();
      tried.set(blob.root, deps.now());
      const added = await deps.replicate(blob.root, blob.blocks, signal, blob);
      refusals = added.length === 0 ? refusals + 1 : 0;
      for (const holder of added) if (await admit(blob, holder, signal)) count += 1;
    };
    await inParallel(await due(), config.parallel, spread, () => refusals >= MAX_REFUSALS);
    return count;
  };
}
