/** The Merkle tree above the pages of a memory: 2^20 pages, of which those are here that were ever not empty. */
import type { NodeBytes, Poseidon2 } from './poseidon2.ts';

export const LEVELS_ABOVE_PAGES = 20;

export interface PageTree {
  setPage(page: number, root: NodeBytes): void;
  root(): NodeBytes;
  /** The siblings above a page, the lowest first. */
  pathTo(page: number): readonly NodeBytes[];
}

/** @param empty the root of a page of zeros */
export function createPageTree(poseidon2: Poseidon2, empty: NodeBytes): PageTree {
  const emptyAt = [empty];
  const hashPair = (left: NodeBytes, right: NodeBytes): NodeBytes => poseidon2.hashPairs([[left, right]])[0] ?? left;
  for (let level = 0; level < LEVELS_ABOVE_PAGES; level += 1) {
    const below = emptyAt[level] ?? empty;
    emptyAt.push(hashPair(below, below));
  }
  const levels: Map<number, NodeBytes>[] = emptyAt.map(() => new Map());
  const stale = new Set<number>();
  const node = (level: number, index: number): NodeBytes => levels[level]?.get(index) ?? emptyAt[level] ?? empty;

  function rehash(): void {
    let changed: ReadonlySet<number> = stale;
    for (let level = 1; level <= LEVELS_ABOVE_PAGES && changed.size > 0; level += 1) {
      const above = [...new Set([...changed].map((index) => index >>> 1))];
      const nodes = poseidon2.hashPairs(
        above.map((index) => [node(level - 1, 2 * index), node(level - 1, 2 * index + 1)]),
      );
      for (const [place, index] of above.entries()) levels[level]?.set(index, nodes[place] ?? empty);
      changed = new Set(above);
    }
    stale.clear();
  }

  return {
    setPage(page, root) {
      levels[0]?.set(page, root);
      stale.add(page);
    },
    root() {
      rehash();
      return node(LEVELS_ABOVE_PAGES, 0);
    },
    pathTo(page) {
      rehash();
      return Array.from({ length: LEVELS_ABOVE_PAGES }, (_, level) => node(level, (page >>> level) ^ 1));
    },
  };
}
