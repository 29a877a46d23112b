import type { ShardStanding } from '../../appliance/gateway/storage-schemas.ts';

/** A segment with this margin, or less, is one shard from loss. */
export const ENDANGERED_MARGIN = 1;
/** Holders are audited once a day: after two of them something is wrong. */
export const UNPROVED_MS = 48 * 3_600_000;

/** One line: how this node's blobs are kept at other members. */
export function describeShards(shards: ShardStanding): string {
  const { holders, storageClass, segments, durable, waiting, repairs, leastMargin } = shards;
  const who = holders === 1 ? '1 member offers' : `${holders} members offer`;
  const how =
    storageClass === undefined
      ? `replicated: ${who} room, and coding takes five`
      : `coded (${storageClass}): ${who} room`;
  if (segments === 0) return waiting === 0 ? how : `${how}; ${waiting} versions wait`;
  const margin = leastMargin === undefined ? '' : `, ${Math.max(0, leastMargin)} shards to spare at the least`;
  const open = [
    ...(waiting > 0 ? [`${waiting} versions wait`] : []),
    ...(repairs > 0 ? [`${repairs} segments to repair`] : []),
  ];
  return [`${how}; ${durable} of ${segments} segments durable${margin}`, ...open].join('; ');
}
