import type { Cid } from '../../protocol/brand.ts';
import { cidText, isDagPb } from './cid.ts';
import { dagLinks, MAX_LINKS } from './dag.ts';

/** Loads a node of the tree; must have checked it against its CID. */
export type LoadNode = (cid: Cid) => Promise<Uint8Array>;

/** Every block under a root, the root first, depth first. */
export async function* walkDag(root: Cid, load: LoadNode): AsyncGenerator<Cid> {
  yield root;
  if (!isDagPb(root)) return;
  for (const link of dagLinks(await load(root))) yield* walkDag(cidText(link), load);
}

/** Finds leaves by number in a balanced tree; keeps the path of nodes to the last one found. */
export function createLeafFinder(
  tree: { readonly root: Cid; readonly leaves: number; readonly maxLinks?: number },
  load: LoadNode,
): (leaf: number) => Promise<Cid> {
  const { root, leaves, maxLinks = MAX_LINKS } = tree;
  const path: { cid: Cid; links: Cid[] }[] = [];
  let depth = 0;
  while (maxLinks ** depth < leaves) depth += 1;

  async function links(level: number, cid: Cid): Promise<Cid[]> {
    const known = path[level];
    if (known?.cid === cid) return known.links;
    const found = dagLinks(await load(cid)).map(cidText);
    path[level] = { cid, links: found };
    return found;
  }

  return async (leaf) => {
    let cid = root;
    let rest = leaf;
    for (let level = 0; level < depth; level++) {
      const below = maxLinks ** (depth - level - 1);
      const child = (await links(level, cid))[Math.floor(rest / below)];
      if (child === undefined) throw new RangeError('leaf outside the tree');
      cid = child;
      rest %= below;
    }
    return cid;
  };
}
