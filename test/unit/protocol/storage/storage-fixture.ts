import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import {
  LEAF_BYTES,
  type LeafProof,
  PIECE_BYTES,
  pieceHashes,
  proveLeaf,
  shardRoot,
} from '../../../../protocol/coding/shard-tree.ts';
import type { Offer } from '../../../../protocol/storage/offer.ts';
import { createShardSet, type HeldShard } from '../../../../protocol/storage/shard-set.ts';
import { bytesOf } from '../../coding/coding-fixture.ts';

export const named = (text: string): Uint8Array => keccak_256(utf8ToBytes(text));
export const TIB = 2 ** 40;

export function offer(index: number, more: Partial<Offer> = {}): Offer {
  return {
    holder: named(`holder ${index}`),
    operator: `operator ${index}`,
    site: `site ${index}`,
    as: index,
    country: 'CH',
    freeBytes: TIB,
    price: 400,
    egress: 100,
    bandwidth: 10_000_000,
    ...more,
  };
}

/** A holder's disk: shards of these many leaves, and the proofs that it finds there. */
export function disk(leavesOf: readonly number[]) {
  const contents = new Map<HeldShard, { bytes: Uint8Array; pieces: Uint8Array[] }>();
  for (const [index, leaves] of leavesOf.entries()) {
    const bytes = bytesOf(`disk ${index}`, leaves * LEAF_BYTES);
    const pieces = pieceHashes(bytes);
    const shard = { id: named(`shard ${index}`), root: shardRoot(bytes.length, pieces), bytes: bytes.length };
    contents.set(shard, { bytes, pieces });
  }
  const set = createShardSet([...contents.keys()]);
  const prove = (shard: HeldShard, leaf: number): LeafProof => {
    const { bytes, pieces } = contents.get(shard) ?? { bytes: new Uint8Array(0), pieces: [] };
    const start = Math.floor((leaf * LEAF_BYTES) / PIECE_BYTES) * PIECE_BYTES;
    return proveLeaf({ shardBytes: bytes.length, pieces }, leaf, bytes.subarray(start, start + PIECE_BYTES));
  };
  return { set, prove, contents };
}
