/**
 * The tree of a shard: keccak256, since a contract checks leaves of it in a dispute.
 *
 *   leaf  = keccak256(0x00 | 256 bytes)        node = keccak256(0x01 | left | right)
 *   past the end of the shard, up to whole pieces and then to a power of two: keccak256(0x02) and the nodes above such leaves
 *   R     = keccak256(0x03 | length of the shard (8 bytes, big endian) | top node)
 *
 * A piece is a subtree of 64 leaves (16 KiB). A holder keeps the piece hashes, 0.2 % of the shard, and hashes one piece for each leaf
 * that it is asked for; the tree of a shard has at least one piece.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { NectarError } from '../errors.ts';
import { isSameHash } from '../merkle/hash.ts';

/** What an audit asks for. */
export const LEAF_BYTES = 256;
/** Levels between leaves and piece hashes. */
const PIECE_LEVELS = 6;
/** Bytes whose subtree has a hash that is kept. */
export const PIECE_BYTES = LEAF_BYTES << PIECE_LEVELS;
export const HASH_BYTES = 32;
/** The longest shard: a segment of 64 MiB in one piece. */
export const MAX_SHARD_BYTES = 64 * 1024 * 1024;

const LEAF = 0;
const NODE = 1;
const PAST_THE_END = 2;
const ROOT = 3;

/** A leaf and what leads from it to R: siblings from the lowest up. */
export interface LeafProof {
  /** 256 bytes. */
  readonly leaf: Uint8Array;
  /** 32 bytes each. */
  readonly path: readonly Uint8Array[];
}

function hash(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = keccak_256.create().update(Uint8Array.of(kind));
  for (const part of parts) state.update(part);
  return state.digest();
}

/** Nodes without a leaf of the shard below them, by level. */
const past: Uint8Array[] = [hash(PAST_THE_END)];

function pastTheEnd(level: number): Uint8Array {
  const known = past[level];
  if (known !== undefined) return known;
  const below = pastTheEnd(level - 1);
  const node = hash(NODE, below, below);
  past[level] = node;
  return node;
}

/** The level above, of nodes that stand at `level`. */
function above(nodes: readonly Uint8Array[], level: number): Uint8Array[] {
  const up: Uint8Array[] = [];
  for (let at = 0; at < nodes.length; at += 2) {
    up.push(hash(NODE, nodes[at] ?? pastTheEnd(level), nodes[at + 1] ?? pastTheEnd(level)));
  }
  return up;
}

/** Refuses a length that no shard has. @throws CODING_INPUT_INVALID */
export function checkShardBytes(bytes: number): void {
  if (!Number.isInteger(bytes) || bytes < LEAF_BYTES || bytes > MAX_SHARD_BYTES || bytes % LEAF_BYTES !== 0)
    throw new NectarError('CODING_INPUT_INVALID', {
      field: 'shard',
      problem: `${bytes} bytes are not whole leaves up to ${MAX_SHARD_BYTES}`,
    });
}

/** Hashes on the way from a leaf to the top node, of a shard of this length. */
export function treeDepth(shardBytes: number): number {
  const pieces = Math.ceil(shardBytes / PIECE_BYTES);
  return PIECE_LEVELS + Math.ceil(Math.log2(pieces));
}

/** Levels of one piece, the leaves' hashes first: 64 of them, whatever is past the end. */
function pieceLevels(piece: Uint8Array): Uint8Array[][] {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < PIECE_BYTES; at += LEAF_BYTES) {
    leaves.push(at < piece.length ? hash(LEAF, piece.subarray(at, at + LEAF_BYTES)) : pastTheEnd(0));
  }
  const levels = [leaves];
  for (let level = 0; level < PIECE_LEVELS; level++) levels.push(above(levels[level] ?? [], level));
  return levels;
}

/**
 * The hash of each piece of a shard. In a program the WebAssembly of coding/ does this, twelve times as fast.
 * @throws CODING_INPUT_INVALID for bytes that are no whole leaves
 */
export function pieceHashes(shard: Uint8Array): Uint8Array[] {
  checkShardBytes(shard.length);
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < shard.length; at += PIECE_BYTES) {
    const top = pieceLevels(shard.subarray(at, at + PIECE_BYTES))[PIECE_LEVELS]?.[0];
    if (top !== undefined) hashes.push(top);
  }
  return hashes;
}

function bigEndian8(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** R of a shard by its piece hashes. @throws CODING_INPUT_INVALID when there are not as many as its length has */
export function shardRoot(shardBytes: number, pieces: readonly Uint8Array[]): Uint8Array {
  checkShardBytes(shardBytes);
  checkPieces(shardBytes, pieces);
  let nodes = pieces;
  for (let level = PIECE_LEVELS; level < treeDepth(shardBytes); level++) nodes = above(nodes, level);
  return hash(ROOT, bigEndian8(shardBytes), nodes[0] ?? pastTheEnd(PIECE_LEVELS));
}

function checkPieces(shardBytes: number, pieces: readonly Uint8Array[]): void {
  if (pieces.length !== Math.ceil(shardBytes / PIECE_BYTES) || pieces.some(({ length }) => length !== HASH_BYTES))
    throw new NectarError('CODING_INPUT_INVALID', { field: 'pieces', problem: 'they are not those of the shard' });
}

/**
 * What a holder answers for one leaf.
 * @param piece the bytes of the shard from leaf - leaf % 64 on, up to PIECE_BYTES
 * @throws CODING_INPUT_INVALID for a leaf past the end
 */
export function proveLeaf(
  { shardBytes, pieces }: { readonly shardBytes: number; readonly pieces: readonly Uint8Array[] },
  leaf: number,
  piece: Uint8Array,
): LeafProof {
  checkShardBytes(shardBytes);
  checkPieces(shardBytes, pieces);
  checkLeaf(shardBytes, leaf);
  const inPiece = leaf % (1 << PIECE_LEVELS);
  const levels = pieceLevels(piece);
  const path: Uint8Array[] = [];
  for (let level = 0; level < PIECE_LEVELS; level++) path.push(siblingOf(levels[level] ?? [], inPiece >> level, level));
  let nodes = pieces;
  for (let level = PIECE_LEVELS; level < treeDepth(shardBytes); level++) {
    path.push(siblingOf(nodes, leaf >> level, level));
    nodes = above(nodes, level);
  }
  return { leaf: piece.slice(inPiece * LEAF_BYTES, (inPiece + 1) * LEAF_BYTES), path };
}

function siblingOf(nodes: readonly Uint8Array[], index: number, level: number): Uint8Array {
  return nodes[index ^ 1] ?? pastTheEnd(level);
}

function checkLeaf(shardBytes: number, leaf: number): void {
  if (!Number.isInteger(leaf) || leaf < 0 || leaf >= shardBytes / LEAF_BYTES)
    throw new NectarError('CODING_INPUT_INVALID', { field: 'leaf', problem: `no leaf ${leaf} in ${shardBytes} bytes` });
}

/** Whether bytes and path are those of a leaf of the shard with this root and length. */
export function isLeafOf(
  { root, shardBytes }: { readonly root: Uint8Array; readonly shardBytes: number },
  index: number,
  { leaf, path }: LeafProof,
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= shardBytes / LEAF_BYTES) return false;
  if (leaf.length !== LEAF_BYTES || path.length !== treeDepth(shardBytes)) return false;
  let node = hash(LEAF, leaf);
  for (const [level, sibling] of path.entries()) {
    if (sibling.length !== HASH_BYTES) return false;
    node = (index >> level) & 1 ? hash(NODE, sibling, node) : hash(NODE, node, sibling);
  }
  return isSameHash(hash(ROOT, bigEndian8(shardBytes), node), root);
}
