/**
 * What a deletion leaves to do once its record cannot be read any more: the bytes of its wrapped keys leave the files of the
 * index, its blocks go, its holders are written down to be told (release-queue.ts). One entry of the index each, written with the tombstone: a crash forgets none.
 */
export interface Erasures {
  /** Takes up what is written down. */
  wake(): void;
  /** Deletions that are not done yet. */
  pending(): number;
  /** One more is written down. */
  added(): void;
  /** So many are written down already. */
  resume(count: number): void;
  /** Takes the bytes away that are still there. */
  stop(): Promise<void>;
}
