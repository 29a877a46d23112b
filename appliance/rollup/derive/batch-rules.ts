import type { Hex } from '../../../protocol/brand.ts';

/*
 * The rules by which a batch's blocks are judged are the machine's (machine/core/src/batch_rules.rs, docs/design/0013-derivation.md).
 * Here are the two limits of them that whoever builds or announces a block keeps to.
 */

/**
 * Seconds by which a block's time may run ahead of its L1 origin's. The bound is on the origin, not on the inclusion block,
 * so that a follower can judge an unsafe block before it is posted. Part of the protocol, as are the other limits here.
 */
export const MAX_TIME_DRIFT_S = 1_800n;

/** L1 blocks by which an origin may be older than the block of its batch: a day. Part of the protocol: it bounds what a proof walks. */
export const MAX_ORIGIN_AGE = 7_200n;

export interface OriginRef {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
}

/** The earliest timestamp that a block on this parent and this origin may have. */
export function earliestTimestamp(
  parent: { readonly timestamp: bigint },
  origin: { readonly timestamp: bigint },
): bigint {
  return atLeast(parent.timestamp, origin.timestamp);
}

function atLeast(value: bigint, bound: bigint): bigint {
  return value < bound ? bound : value;
}

/** A timestamp for the next block that keeps the rule: the clock where the rule allows it, else the nearest bound. */
export function clampTimestamp(nowS: bigint, parent: { readonly timestamp: bigint }, origin: OriginRef): bigint {
  const most = origin.timestamp + MAX_TIME_DRIFT_S;
  const capped = nowS < most ? nowS : most;
  return atLeast(capped, earliestTimestamp(parent, origin));
}
