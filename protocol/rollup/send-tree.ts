/**
 * The tree of messages from L2 to L1: contracts/src/common/MessageTree.sol in TypeScript. A binary keccak256 tree of depth 32 whose
 * missing leaves are zero; its root, the send root, is slot 0 of the Messenger predeploy.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** The depth of the tree. */
export const SEND_TREE_DEPTH = 32;

/** A message as the Messenger took it. */
export interface SendMessage {
  /** Its index in the tree. */
  readonly nonce: bigint;
  readonly from: Hex;
  readonly to: Hex;
  readonly value: bigint;
  readonly data: Hex;
}

function hashPair(left: Hex, right: Hex): Hex {
  return bytesToHex(keccak_256(concatBytes(hexToBytes(left), hexToBytes(right))));
}

const ZERO: Hex = `0x${'00'.repeat(32)}`;

/** At each height the root of a tree without a leaf; the last is that of the whole tree. */
const EMPTY: readonly Hex[] = Array.from({ length: SEND_TREE_DEPTH }).reduce<Hex[]>(
  (roots) => [...roots, hashPair(roots.at(-1) ?? ZERO, roots.at(-1) ?? ZERO)],
  [ZERO],
);

/** The send root before the first message. */
export const EMPTY_SEND_ROOT: Hex = EMPTY[SEND_TREE_DEPTH] ?? ZERO;

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

/** keccak256(abi.encode(nonce, from, to, value, data)). */
export function leafOf({ nonce, from, to, value, data }: SendMessage): Hex {
  const bytes = data.slice(2);
  const padded = bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0');
  const head = [nonce, BigInt(from), BigInt(to), value, 160n, BigInt(bytes.length / 2)].map(word).join('');
  return bytesToHex(keccak_256(hexToBytes(`0x${head}${padded}`)));
}

/** The root over the leaves of all messages, in order. */
export function sendRootOf(leaves: readonly Hex[]): Hex {
  return proveSend(leaves, 0).root;
}

/** The siblings of a leaf, lowest first, and the root that they lead to. */
export function proveSend(
  leaves: readonly Hex[],
  index: number,
): { readonly siblings: readonly Hex[]; readonly root: Hex } {
  const siblings: Hex[] = [];
  let level = leaves;
  let at = index;
  for (const empty of EMPTY.slice(0, SEND_TREE_DEPTH)) {
    siblings.push(level[at ^ 1] ?? empty);
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => pair * 2);
    level = pairs.map((left) => hashPair(level[left] ?? empty, level[left + 1] ?? empty));
    at >>= 1;
  }
  return { siblings, root: level[0] ?? EMPTY_SEND_ROOT };
}
