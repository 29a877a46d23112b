import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Rules } from './rules.ts';

type RlpItem = Uint8Array | RlpItem[];

/** An item under what is left of its key, in nibbles. */
interface Entry {
  readonly path: readonly number[];
  readonly value: Uint8Array;
}

const BRANCHES = 16;
const HASH_BYTES = 32;

function nibblesOf(key: Uint8Array): number[] {
  return Array.from(key).flatMap((byte) => [byte >> 4, byte & 15]);
}

/** Hex-prefix encoding (Yellow Paper, appendix C). */
function packPath(path: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 2 : 0;
  const nibbles = path.length % 2 === 0 ? [flag, 0, ...path] : [flag + 1, ...path];
  return Uint8Array.from(
    { length: nibbles.length / 2 },
    (_, i) => ((nibbles[2 * i] ?? 0) << 4) | (nibbles[2 * i + 1] ?? 0),
  );
}

function sharedPrefix(entries: readonly Entry[]): number {
  const [first, ...others] = entries;
  if (first === undefined) return 0;
  let length = 0;
  while (length < first.path.length && others.every(({ path }) => path[length] === first.path[length])) length += 1;
  return length;
}

/**
 * Root of Ethereum's trie of `items` under RLP(index), as headers commit to transactions, receipts and withdrawals. Built from
 * the leaves up in one pass: a trie that grows item by item hashes every path again for each.
 */
export function orderedRoot(items: readonly Uint8Array[], rules?: Rules): Uint8Array {
  const hash = rules?.customCrypto.keccak256 ?? keccak_256;
  const refer = (node: RlpItem[]): RlpItem => {
    const bytes = RLP.encode(node);
    return bytes.length < HASH_BYTES ? node : hash(bytes);
  };
  const build = (entries: readonly Entry[]): RlpItem[] => {
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) return [packPath(only.path, true), only.value];
    const shared = sharedPrefix(entries);
    const below = entries.map(({ path, value }) => ({ path: path.slice(shared), value }));
    if (shared > 0) return [packPath(only?.path.slice(0, shared) ?? [], false), refer(build(below))];
    const branch: RlpItem[] = Array.from({ length: BRANCHES }, (_, nibble) => {
      const children = below.filter(({ path }) => path[0] === nibble);
      if (children.length === 0) return new Uint8Array();
      return refer(build(children.map(({ path, value }) => ({ path: path.slice(1), value }))));
    });
    return [...branch, below.find(({ path }) => path.length === 0)?.value ?? new Uint8Array()];
  };
  if (items.length === 0) return hash(RLP.encode(new Uint8Array()));
  const entries = items.map((value, index) => ({ path: nibblesOf(RLP.encode(index)), value }));
  return hash(RLP.encode(build(entries)));
}
