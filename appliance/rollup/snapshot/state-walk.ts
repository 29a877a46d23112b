import { RLP } from '@ethereumjs/rlp';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';

type Kind = 'account' | 'storage' | 'code';
type RlpItem = Uint8Array | RlpItem[];

/** A part of a state: a node of the trie of accounts or of one of storage, or code. */
export interface StatePart {
  readonly kind: Kind;
  readonly hash: Hex;
}

const EMPTY_ROOT: Hex = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
const EMPTY_CODE: Hex = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
/** Code and storage that many accounts share are written once, as long as both sides remember them alike. */
const MAX_REMEMBERED = 65_536;

/**
 * Every trie node and code of a state, depth first, each asked of `fetch` by its hash. Whoever writes a snapshot and whoever reads it
 * walk the same way, so that the reader knows the hash of each part before it comes. Memory holds one path, not the state.
 */
export async function walkState(root: Hex, fetch: (hash: Hex) => Promise<Uint8Array>): Promise<void> {
  const remembered = new Set<string>();
  const stack: StatePart[] = [{ kind: 'account', hash: root }];
  for (let wanted = stack.pop(); wanted !== undefined; wanted = stack.pop()) {
    if (isEmptyPart(wanted) || isKnown(wanted, remembered)) continue;
    const bytes = await fetch(wanted.hash);
    stack.push(...partsBelow(wanted, bytes).reverse());
  }
}

/** The two hashes that stand for nothing. */
export function isEmptyPart({ kind, hash }: StatePart): boolean {
  return kind === 'code' ? hash === EMPTY_CODE : hash === EMPTY_ROOT;
}

function isKnown({ kind, hash }: StatePart, remembered: Set<string>): boolean {
  if (kind === 'account') return false;
  const key = `${kind}${hash}`;
  if (remembered.has(key)) return true;
  remembered.add(key);
  const [oldest] = remembered;
  if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  return false;
}

/** What a part refers to by hash, in order. Throws ROLLUP_SNAPSHOT_INVALID. */
export function partsBelow({ kind }: StatePart, bytes: Uint8Array): StatePart[] {
  if (kind === 'code') return [];
  try {
    return childrenOfNode(RLP.decode(bytes) as RlpItem, kind);
  } catch {
    throw new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason: 'a node of the state is malformed' });
  }
}

function childrenOfNode(node: RlpItem, kind: 'account' | 'storage'): StatePart[] {
  if (!Array.isArray(node)) throw new TypeError('not a node');
  if (node.length === 17) return node.slice(0, 16).flatMap((child) => childOf(child, kind));
  const [path, value] = node;
  if (node.length !== 2 || !(path instanceof Uint8Array) || value === undefined) throw new TypeError('not a node');
  const isLeaf = ((path[0] ?? 0) & 0x20) !== 0;
  if (!isLeaf) return childOf(value, kind);
  if (kind === 'storage' || !(value instanceof Uint8Array)) return [];
  const [, , storage, code] = RLP.decode(value) as Uint8Array[];
  if (storage?.length !== 32 || code?.length !== 32) throw new TypeError('not an account');
  return [
    { kind: 'storage', hash: bytesToHex(storage) },
    { kind: 'code', hash: bytesToHex(code) },
  ];
}

/** A node below: by hash, or within its parent when it is shorter than one. */
function childOf(child: RlpItem, kind: 'account' | 'storage'): StatePart[] {
  if (Array.isArray(child)) return childrenOfNode(child, kind);
  if (child.length === 0) return [];
  if (child.length !== 32) throw new TypeError('not a hash');
  return [{ kind, hash: bytesToHex(child) }];
}
