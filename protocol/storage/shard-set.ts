/**
 * The shards of one owner at one holder, in the order of their ids: what an audit draws its questions from. The root covers id, R and
 * length of each and the leaves below every node, so that a path can show a third party in which shard a drawn leaf lies:
 *
 *   leaf = keccak256(0x10 | id | R | leaves)     node = keccak256(0x11 | left | its leaves | right | its leaves)     leaves: 8 bytes, big endian
 *   a node without a right half goes up as it is; root of the empty set = keccak256(0x12)
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { checkShardBytes, LEAF_BYTES } from '../coding/shard-tree.ts';
import { NectarError } from '../errors.ts';

/** A shard that a holder keeps for an owner. */
export interface HeldShard {
  /** 32 random bytes: the only name by which the holder knows it. */
  readonly id: Uint8Array;
  /** R. */
  readonly root: Uint8Array;
  readonly bytes: number;
}

export interface ShardSet {
  readonly shards: readonly HeldShard[];
  /** For each shard, the leaves of those before it. */
  readonly starts: readonly number[];
  readonly leaves: number;
}

const ID_BYTES = 32;
const LEAF = 0x10;
const NODE = 0x11;
const EMPTY = 0x12;

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < ID_BYTES; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}

/** @throws CODING_INPUT_INVALID for an id, root or length that no shard has, and for an id that comes twice */
export function createShardSet(shards: readonly HeldShard[]): ShardSet {
  const sorted = shards.toSorted((a, b) => compare(a.id, b.id));
  const starts: number[] = [];
  let leaves = 0;
  for (const [index, { id, root, bytes }] of sorted.entries()) {
    checkShardBytes(bytes);
    const before = sorted[index - 1];
    if (id.length !== ID_BYTES || root.length !== ID_BYTES) throw invalid('an id or root of other than 32 bytes');
    if (before !== undefined && compare(before.id, id) === 0) throw invalid('an id that comes twice');
    starts.push(leaves);
    leaves += bytes / LEAF_BYTES;
  }
  return { shards: sorted, starts, leaves };
}

function invalid(problem: string): NectarError {
  return new NectarError('CODING_INPUT_INVALID', { field: 'shards', problem });
}

function eightBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** The root of a set, 32 bytes. */
export function shardSetRoot({ shards }: ShardSet): Uint8Array {
  let level = shards.map(below);
  while (level.length > 1) level = above(level);
  return level[0]?.hash ?? keccak_256(Uint8Array.of(EMPTY));
}

/** What stands beside a node on the way to the root. */
export interface Beside {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** Leaves below it. */
  readonly leaves: number;
  /** Whether it stands on the left. */
  readonly isLeft: boolean;
}

/** The way from a shard of the set to its root, the lowest first: what a third party is shown. */
export function shardSetPath({ shards }: ShardSet, shard: HeldShard): Beside[] {
  let index = shards.indexOf(shard);
  if (index < 0) throw invalid('a shard that is not of the set');
  const path: Beside[] = [];
  for (let level = shards.map(below); level.length > 1; level = above(level), index >>= 1) {
    const beside = level[index ^ 1];
    if (beside !== undefined) path.push({ ...beside, isLeft: (index & 1) === 1 });
  }
  return path;
}

function below({ id, root, bytes }: HeldShard): Below {
  const leaves = bytes / LEAF_BYTES;
  return { hash: keccak_256(concatBytes(Uint8Array.of(LEAF), id, root, eightBytes(leaves))), leaves };
}

function above(level: readonly Below[]): Below[] {
  const up: Below[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]];
    if (left === undefined) continue;
    up.push(right === undefined ? left : { hash: joined(left, right), leaves: left.leaves + right.leaves });
  }
  return up;
}

interface Below {
  readonly hash: Uint8Array;
  readonly leaves: number;
}

function joined(left: Below, right: Below): Uint8Array {
  const parts = [left.hash, eightBytes(left.leaves), right.hash, eightBytes(right.leaves)];
  return keccak_256(concatBytes(Uint8Array.of(NODE), ...parts));
}

/** Which leaf of which shard a place among all leaves of the set is. @throws CODING_INPUT_INVALID past the end */
export function locateLeaf(
  { shards, starts, leaves }: ShardSet,
  place: number,
): { readonly shard: HeldShard; readonly leaf: number } {
  let [low, high] = [0, shards.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  const shard = shards[low];
  if (shard === undefined || place < 0 || place >= leaves) throw invalid(`no leaf ${place} of ${leaves}`);
  return { shard, leaf: place - (starts[low] ?? 0) };
}
