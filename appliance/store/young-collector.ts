import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that pass through between two collections. */
const INTERVAL_BYTES = 16 * 1024 * 1024;

export interface YoungCollector {
  /** Says that so many bytes of large buffers passed through. */
  passed(bytes: number): void;
}

/**
 * Streamed plaintext becomes garbage as fast as the disk reads, and V8 lets more than 100 MiB of such buffers pile up before
 * it looks: they are outside its heap, which hardly grows. A scavenge every 16 MiB (a millisecond or two) keeps the resident
 * size flat. Chunks that were handed out cannot be freed by hand: their reader may still hold them.
 */
export function createYoungCollector(): YoungCollector {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as ((options: { type: 'minor' }) => void) | undefined;
  let sum = 0;
  return {
    passed(bytes) {
      sum += bytes;
      if (sum < INTERVAL_BYTES) return;
      sum = 0;
      collect?.({ type: 'minor' });
    },
  };
}
