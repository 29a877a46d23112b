/** Below this the collector does as well. */
const WORTH_FREEING_BYTES = 32 * 1024;

/**
 * Gives the memory of a streamed buffer back at once. Left to V8, which sees them grow outside its heap, such buffers make it
 * mark the whole heap again and again. Nobody may use the bytes afterwards, and no write of them may be under way.
 */
export function freeBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const whole = bytes.byteOffset === 0 && bytes.length === buffer.byteLength;
  if (whole && bytes.length >= WORTH_FREEING_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
