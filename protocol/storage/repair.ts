/** When a segment is repaired, and which one first (docs/design/0032). Pure: times are ages, in milliseconds. */
import type { StorageClass } from '../coding/storage-class.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** A shard by what is known of its holder. */
export type ShardState = 'live' | 'late' | 'absent' | 'lost';

const LATE_AFTER_MS = HOUR_MS;
const ABSENT_AFTER_MS = DAY_MS;
const LOST_AFTER_MS = 7 * DAY_MS;

/** What decides the state of a shard. */
export interface ShardFacts {
  /** Since the holder last answered anything. */
  readonly silentMs: number;
  /** The registry admits it no more. Its bytes may still be read: that decides reads, not whether the shard counts. */
  readonly isEjected: boolean;
  /** The shard failed an audit: its bytes are not all there. */
  readonly isFaulted: boolean;
}

export function shardState({ silentMs, isEjected, isFaulted }: ShardFacts): ShardState {
  if (isEjected || isFaulted || silentMs >= LOST_AFTER_MS) return 'lost';
  if (silentMs >= ABSENT_AFTER_MS) return 'absent';
  return silentMs >= LATE_AFTER_MS ? 'late' : 'live';
}

/** A late shard counts in full, so that a reboot moves nothing; an absent one counts half. */
const COUNTS: Readonly<Record<ShardState, number>> = { live: 1, late: 1, absent: 0.5, lost: 0 };

export interface SegmentHealth {
  /** Shards, an absent one as half. */
  readonly count: number;
  /** How many more may go before the segment is lost. */
  readonly margin: number;
  /** Whether it is to be repaired. */
  readonly isDue: boolean;
  /** Places whose shards are to be made anew: the lost ones, and none else. */
  readonly lost: readonly number[];
}

/** @param states by index; undefined where a shard was never placed */
export function segmentHealth(
  states: readonly (ShardState | undefined)[],
  { data, shards, repairAt }: StorageClass,
): SegmentHealth {
  let count = 0;
  const lost: number[] = [];
  for (let index = 0; index < shards; index++) {
    const state = states[index] ?? 'lost';
    count += COUNTS[state];
    if (state === 'lost') lost.push(index);
  }
  return { count, margin: count - data, isDue: count <= repairAt && lost.length > 0, lost };
}

/**
 * The repairs of one round: segments that are due, the most endangered first, until `maxBytes` are read and written. A segment below its
 * data is not among them: nothing can be read from it until a holder comes back.
 */
export function planRepairs<T extends SegmentHealth & { readonly shardBytes: number }>(
  segments: readonly T[],
  { data }: StorageClass,
  maxBytes: number,
): T[] {
  const plan: T[] = [];
  let bytes = 0;
  for (const segment of segments.filter(({ isDue }) => isDue).toSorted((a, b) => a.margin - b.margin)) {
    bytes += (data + segment.lost.length) * segment.shardBytes;
    if (bytes > maxBytes && plan.length > 0) break;
    plan.push(segment);
  }
  return plan;
}
