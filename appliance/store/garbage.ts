import type { Cid } from '../../protocol/brand.ts';
import { cidText, isDagPb } from './cid.ts';
import type { StoreCore } from './core.ts';
import { dagLinks } from './dag.ts';
import { decodeEntry, type GarbageEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';

/**
 * Removes the blocks under a root that no version names, and then its garbage entry. Children go before their parent, so
 * that a crash in between leaves a tree that can still be walked.
 */
export async function collectGarbage(core: StoreCore, root: Cid): Promise<void> {
  const { db, keys } = core;
  const committed = (await db.get(keys.ofCid(KIND.root, root))) !== undefined;
  if (!committed) await removeTree(core, root);
  await db.commit([{ type: 'del', key: keys.ofCid(KIND.garbage, root) }]);
}

/** Collects all that is marked, at start. */
export async function collectAllGarbage(core: StoreCore): Promise<number> {
  let roots = 0;
  for await (const { value } of core.db.range(kindRange(KIND.garbage))) {
    await collectGarbage(core, decodeEntry<GarbageEntry>(value).root);
    roots += 1;
  }
  return roots;
}

async function removeTree(core: StoreCore, cid: Cid): Promise<void> {
  if (isDagPb(cid)) {
    const node = await core.files.readAnywhere(cid);
    for (const link of node === undefined ? [] : dagLinks(node)) await removeTree(core, cidText(link));
  }
  await core.files.remove(cid);
}
