/** How many shards a segment has, and how many of them bring it back. The thresholds: docs/design/0032. */
export interface StorageClass {
  readonly name: string;
  /** Any `data` shards give the segment. */
  readonly data: number;
  /** All shards of a segment. */
  readonly shards: number;
  /** A segment with this many shards or fewer is repaired. */
  readonly repairAt: number;
  /** Eligible holders without which the class is not used: more than shards, so that a lost one has somewhere to go. */
  readonly holders: number;
}

export const STORAGE_CLASSES = {
  small: { name: 'small', data: 2, shards: 5, repairAt: 3, holders: 5 },
  standard: { name: 'standard', data: 10, shards: 20, repairAt: 14, holders: 40 },
  archive: { name: 'archive', data: 20, shards: 36, repairAt: 26, holders: 80 },
} as const satisfies Record<string, StorageClass>;

export type StorageClassName = keyof typeof STORAGE_CLASSES;

/** The class with the most shards that so many holders carry, archive only where it is asked for; undefined below five: replication. */
export function findClassFor(holders: number): StorageClass | undefined {
  if (holders >= STORAGE_CLASSES.standard.holders) return STORAGE_CLASSES.standard;
  return holders >= STORAGE_CLASSES.small.holders ? STORAGE_CLASSES.small : undefined;
}

/** Shards at which a write counts as durable at other places: the repair threshold and half the margin above it. */
export function durableAt({ repairAt, shards }: StorageClass): number {
  return repairAt + Math.ceil((shards - repairAt) / 2);
}
