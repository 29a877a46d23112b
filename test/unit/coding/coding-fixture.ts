import { loadCoding } from '../../../appliance/coding/coding-file.ts';
import { nodeShardCrypto } from '../../../appliance/coding/index.ts';
import { createCoder } from '../../../coding/host/coder.ts';
import { createSegmentCoder, type SegmentKeys } from '../../../coding/host/segment-coder.ts';
import { seededRandom } from '../../../protocol/storage/seeded-random.ts';

export const coder = createCoder(loadCoding());
export const segmentCoder = createSegmentCoder(coder, nodeShardCrypto);
export const keys: SegmentKeys = { ownerSecret: new Uint8Array(32).fill(1), segmentId: new Uint8Array(32).fill(2) };

/** The same bytes for a seed in every run. */
export function bytesOf(seed: string, length: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}
