/**
 * Streamed buffers become garbage as fast as they come, but lie outside V8's heap, which hardly grows: left alone, V8 lets more
 * than 100 MiB of them pile up, and marks its whole heap for every 64 MiB, tens of milliseconds each time.
 */
import { collectGarbage } from './collect-garbage.ts';
import { givePieceBack } from './page-memory.ts';

/** Below this the collector does as well. */
const WORTH_FREEING_BYTES = 16 * 1024;
/** Bytes that pass through between two collections. */
const INTERVAL_BYTES = 16 * 1024 * 1024;

/**
 * Gives a large buffer back at once instead of when the collector comes by: keeps the resident size flat, and the next
 * buffer takes the same warm pages (more than twice as fast as fresh ones). Nobody may use the bytes afterwards, and no write
 * of them may be under way. A part of a buffer is left alone; a piece of page-memory.ts goes back to its pool.
 */
export function freeBytes(bytes: Uint8Array): void {
  if (givePieceBack(bytes)) return;
  const { buffer } = bytes;
  const whole = bytes.byteOffset === 0 && bytes.length === buffer.byteLength;
  if (whole && bytes.length >= WORTH_FREEING_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

let sum = 0;

/**
 * Says that so many bytes of buffers passed through that nobody here can free: their reader may still hold them. A scavenge now
 * and then (a millisecond or two) takes those in one that are garbage by then.
 */
export function passedBytes(bytes: number): void {
  sum += bytes;
  if (sum < INTERVAL_BYTES) return;
  sum = 0;
  collectGarbage('minor');
}
