/** A guest's memory with its hashes: pages are compared and hashed when a root is asked for, never while the guest runs. */
import type { HashedMemory } from '../../protocol/dispute/memory.ts';
import { type GuestMemory, PAGE_BYTES } from './guest-memory.ts';
import { createPageTree } from './page-tree.ts';
import type { NodeBytes, Poseidon2 } from './poseidon2.ts';

/** A page as it was at a time: never altered. It is hashed when a root is first asked for. */
interface Page {
  readonly bytes: Uint8Array;
  root: NodeBytes | undefined;
}

/** All pages that were written, as they were at a time. Pages that did not change are shared between snapshots. */
export type PageSnapshot = ReadonlyMap<number, Page>;

export interface TracedMemory extends HashedMemory {
  snapshot(): PageSnapshot;
  restore(snapshot: PageSnapshot): void;
}

const PAGE_SHIFT = 12;
const LEAF_SHIFT = 4;
const LEAVES_MASK = 0xff;

/** @param known what the memory holds now, where another run of the same image has said so */
export function createTracedMemory(memory: GuestMemory, poseidon2: Poseidon2, known?: PageSnapshot): TracedMemory {
  const empty = poseidon2.hashPage(new Uint8Array(PAGE_BYTES), 0).root;
  const zeros: Page = { bytes: new Uint8Array(PAGE_BYTES), root: empty };
  const tree = createPageTree(poseidon2, empty);
  let pages = new Map(known);
  /** Those of which the tree has another root, or none. */
  const unhashed = new Set(pages.keys());
  if (known !== undefined) memory.takeAltered();
  const pageAt = (page: number): Uint8Array => memory.view(page * PAGE_BYTES, PAGE_BYTES);

  function record(): void {
    for (const page of memory.takeAltered()) {
      const bytes = pageAt(page);
      if (isEqual(bytes, (pages.get(page) ?? zeros).bytes)) continue;
      pages.set(page, { bytes: bytes.slice(), root: undefined });
      unhashed.add(page);
    }
  }

  function hash(): void {
    record();
    for (const number of unhashed) {
      const page = pages.get(number) ?? zeros;
      page.root ??= poseidon2.hashPage(page.bytes, 0).root;
      tree.setPage(number, page.root);
    }
    unhashed.clear();
  }

  return {
    leafAt: memory.leafAt,
    setLeaf: memory.setLeaf,
    root() {
      hash();
      return numberOf(tree.root());
    },
    pathTo(address) {
      hash();
      const page = (address >>> 0) >>> PAGE_SHIFT;
      const { siblings } = poseidon2.hashPage(pageAt(page), (address >>> LEAF_SHIFT) & LEAVES_MASK);
      return [...siblings, ...tree.pathTo(page)].map(numberOf);
    },
    snapshot() {
      record();
      return new Map(pages);
    },
    restore(snapshot) {
      // What was written since the last root and is not on record lies in these pages.
      const altered = new Set(memory.takeAltered());
      for (const page of new Set([...pages.keys(), ...snapshot.keys(), ...altered])) {
        const [then, now] = [snapshot.get(page) ?? zeros, pages.get(page) ?? zeros];
        if (then !== now || altered.has(page)) pageAt(page).set(then.bytes);
        if (then !== now) unhashed.add(page);
      }
      pages = new Map(snapshot);
    },
  };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [a, b].map((bytes) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8));
  if (left === undefined || right === undefined) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}

function numberOf(node: NodeBytes): bigint {
  let value = 0n;
  const words = new DataView(node.buffer, node.byteOffset, node.length);
  for (let at = 24; at >= 0; at -= 8) value = (value << 64n) | words.getBigUint64(at, true);
  return value;
}
