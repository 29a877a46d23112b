/** A segment to the shards that holders get, and back. Each shard is whitened, and R is over its whitened bytes: what a holder has. */
import { cutSegment, joinSegment, type Segment } from '../../protocol/coding/segment.ts';
import { HASH_BYTES, shardRoot } from '../../protocol/coding/shard-tree.ts';
import type { StorageClass } from '../../protocol/coding/storage-class.ts';
import { type ShardCrypto, shardKey } from '../../protocol/coding/whitening.ts';
import { NectarError } from '../../protocol/errors.ts';
import { isSameHash } from '../../protocol/merkle/hash.ts';
import type { Coder } from './coder.ts';

/** What makes the shards of a segment its owner's. */
export interface SegmentKeys {
  /** 32 bytes. */
  readonly ownerSecret: Uint8Array;
  /** 32 random bytes. */
  readonly segmentId: Uint8Array;
}

export interface CodedShard {
  readonly index: number;
  /** As a holder gets it. */
  readonly bytes: Uint8Array;
  /** Hashes of its pieces, one after the other: the holder keeps them beside it. */
  readonly pieces: Uint8Array;
  /** R. */
  readonly root: Uint8Array;
}

export interface SegmentToRead {
  readonly segment: Segment;
  readonly storageClass: StorageClass;
  /** By index, as holders gave them; undefined where there is none. */
  readonly shards: readonly (Uint8Array | undefined)[];
  /** R by index. */
  readonly roots: readonly Uint8Array[];
}

export interface SegmentCoder {
  /** All shards of a segment. @throws CODING_INPUT_INVALID */
  encode(bytes: Uint8Array, of: Pick<SegmentToRead, 'segment' | 'storageClass'>, keys: SegmentKeys): CodedShard[];
  /**
   * The bytes of a segment from any k shards whose root is right, and the indexes of those whose root is not.
   * @throws CODING_SHARDS_TOO_FEW, CODING_INPUT_INVALID
   */
  read(of: SegmentToRead, keys: SegmentKeys): { readonly bytes: Uint8Array; readonly wrong: readonly number[] };
  /** Shards that are lost, from k others, equal to the byte. @throws as `read` */
  repair(of: SegmentToRead, lost: readonly number[], keys: SegmentKeys): CodedShard[];
  /** Hashes of the pieces of a whitened shard, one after the other: what its holder keeps beside it. @throws CODING_INPUT_INVALID */
  pieces(shard: Uint8Array): Uint8Array;
}

export function createSegmentCoder(coder: Coder, crypto: ShardCrypto): SegmentCoder {
  const whiten = (shard: Uint8Array, index: number, { ownerSecret, segmentId }: SegmentKeys): void =>
    crypto.chacha20(shardKey(crypto, ownerSecret, { segmentId, index }), shard, shard);

  /** Whitens in place: nobody else has these bytes. */
  const finish = (shard: Uint8Array, index: number, keys: SegmentKeys): CodedShard => {
    whiten(shard, index, keys);
    const pieces = coder.pieceHashes(shard);
    return { index, bytes: shard, pieces, root: shardRoot(shard.length, splitHashes(pieces)) };
  };

  /** Copies of the first k right shards without their whitening, and room for the wanted ones. Nothing is decoded before R was looked at. */
  const open = (
    { segment, storageClass, shards, roots }: SegmentToRead,
    wanted: readonly number[],
    keys: SegmentKeys,
  ) => {
    const { data, shards: n } = storageClass;
    if (shards.length !== n || roots.length !== n || wanted.some((index) => !(index >= 0 && index < n)))
      throw new NectarError('CODING_INPUT_INVALID', { field: 'shards', problem: `not the places of ${n} shards` });
    const places: (Uint8Array | undefined)[] = Array.from({ length: n });
    const wrong: number[] = [];
    let present = 0;
    for (const [index, shard] of shards.entries()) {
      if (shard === undefined || present === data || wanted.includes(index)) continue;
      if (!isRight(coder, shard, { shardBytes: segment.shardBytes, root: roots[index] })) {
        wrong.push(index);
        continue;
      }
      const copy = shard.slice();
      whiten(copy, index, keys);
      places[index] = copy;
      present++;
    }
    if (present < data) throw new NectarError('CODING_SHARDS_TOO_FEW', { needed: data, present });
    return { places, wrong };
  };

  const fill = (
    places: (Uint8Array | undefined)[],
    wanted: readonly number[],
    { segment, storageClass }: SegmentToRead,
  ) => {
    for (const index of wanted) places[index] = new Uint8Array(segment.shardBytes);
    if (wanted.length > 0) coder.fill({ k: storageClass.data, shards: places, wanted });
  };

  return {
    encode(bytes, { segment, storageClass }, keys) {
      const shards = cutSegment(bytes, segment, storageClass);
      const wanted = [...shards.keys()].slice(storageClass.data);
      coder.fill({ k: storageClass.data, shards, wanted });
      return shards.map((shard, index) => finish(shard, index, keys));
    },
    read(of, keys) {
      const { places, wrong } = open(of, [], keys);
      const lost = [...places.slice(0, of.storageClass.data).keys()].filter((index) => places[index] === undefined);
      fill(places, lost, of);
      const data = places.slice(0, of.storageClass.data).filter((shard) => shard !== undefined);
      return { bytes: joinSegment(data, of.segment.length), wrong };
    },
    pieces: (shard) => coder.pieceHashes(shard),
    repair(of, lost, keys) {
      const { places } = open(of, lost, keys);
      fill(places, lost, of);
      return lost.map((index) => finish(places[index] ?? new Uint8Array(0), index, keys));
    },
  };
}

/** Whether a shard's bytes are those of R. */
function isRight(
  coder: Coder,
  shard: Uint8Array,
  { shardBytes, root }: { readonly shardBytes: number; readonly root: Uint8Array | undefined },
): boolean {
  if (root === undefined || shard.length !== shardBytes) return false;
  return isSameHash(shardRoot(shardBytes, splitHashes(coder.pieceHashes(shard))), root);
}

/** Hashes that stand one after the other. */
export function splitHashes(hashes: Uint8Array): Uint8Array[] {
  return Array.from({ length: hashes.length / HASH_BYTES }, (_, i) =>
    hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
