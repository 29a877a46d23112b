import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that pass through between two collections. */
const INTERVAL_BYTES = 8 * 1024 * 1024;

let collect: ((options: { type: 'minor' }) => void) | undefined;
let sum = 0;

/**
 * Says that so many bytes of streamed buffers passed through this process. They are garbage as fast as they come, but lie
 * outside V8's heap, which hardly grows: left alone, V8 marks its whole heap for every 64 MiB of them, tens of milliseconds
 * each time. A scavenge now and then takes them in one.
 */
export function passedBytes(bytes: number): void {
  sum += bytes;
  if (sum < INTERVAL_BYTES) return;
  sum = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
  }
  collect?.({ type: 'minor' });
}
