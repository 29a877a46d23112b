/** What a coding.wasm makes of given segments: hashes, to be held against shards.json and against another compiled file. */
import { createHash } from 'node:crypto';
import { nodeShardCrypto } from '../../../appliance/coding/index.ts';
import { createCoder } from '../../../coding/host/coder.ts';
import { createSegmentCoder } from '../../../coding/host/segment-coder.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import { segmentsOf } from '../../../protocol/coding/segment.ts';
import { STORAGE_CLASSES, type StorageClassName } from '../../../protocol/coding/storage-class.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';

interface CodedSegment {
  readonly storageClass: string;
  readonly length: number;
  readonly shardBytes: number;
  readonly roots: readonly string[];
  /** Hex of the SHA-256 of all shards, one after the other. */
  readonly shards: string;
}

const LENGTHS: Readonly<Record<StorageClassName, readonly number[]>> = {
  small: [1, 600, 40_000],
  standard: [4096, 200_000],
  archive: [262_144],
};

/** Byte i is i * 7 mod 251; owner's secret 32 times 1, segment id 32 times 2. */
export function codedSegments(module: WasmModule): CodedSegment[] {
  const coder = createSegmentCoder(createCoder(module), nodeShardCrypto);
  const keys = { ownerSecret: new Uint8Array(32).fill(1), segmentId: new Uint8Array(32).fill(2) };
  return Object.values(STORAGE_CLASSES).flatMap((storageClass) =>
    LENGTHS[storageClass.name].map((length) => {
      const [segment] = segmentsOf(length, storageClass);
      if (segment === undefined) throw new Error('a blob has a segment');
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 251);
      const shards = coder.encode(bytes, { segment, storageClass }, keys);
      const all = createHash('sha256');
      for (const shard of shards) all.update(shard.bytes);
      const roots = shards.map(({ root }) => bytesToHex(root));
      return { storageClass: storageClass.name, length, shardBytes: segment.shardBytes, roots, shards: all.digest('hex') };
    }),
  );
}
