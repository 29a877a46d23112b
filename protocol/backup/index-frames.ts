/**
 * Entries of an index on their way from a backup to the node that made it, each as it is sealed at rest:
 *
 *   key length (2) | value length (4) | key | value        big endian, one after the other
 *
 * Nothing here opens them; what does not open under its own key is nobody's entry.
 */
import { NectarError } from '../errors.ts';

const HEAD_BYTES = 6;
const MAX_KEY_BYTES = 1024;
const MAX_VALUE_BYTES = 16 * 1024 * 1024;

export type IndexFrame = readonly [key: Uint8Array, value: Uint8Array];

/** @throws RangeError for a key or value that no index has */
export function encodeIndexFrame([key, value]: IndexFrame): Uint8Array {
  if (key.length > MAX_KEY_BYTES || value.length > MAX_VALUE_BYTES)
    throw new RangeError('too large for an index entry');
  const frame = new Uint8Array(HEAD_BYTES + key.length + value.length);
  const head = new DataView(frame.buffer);
  head.setUint16(0, key.length);
  head.setUint32(2, value.length);
  frame.set(key, HEAD_BYTES);
  frame.set(value, HEAD_BYTES + key.length);
  return frame;
}

/** Memory: one entry and one chunk. @throws NectarError BACKUP_FORMAT_INVALID */
export async function* parseIndexFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<IndexFrame, void, void> {
  let held = new Uint8Array(0);
  for await (const chunk of source) {
    held = joined(held, chunk);
    for (;;) {
      const bytes = frameBytes(held);
      if (bytes === undefined || held.length < bytes) break;
      const keyEnd = HEAD_BYTES + new DataView(held.buffer, held.byteOffset).getUint16(0);
      yield [held.slice(HEAD_BYTES, keyEnd), held.slice(keyEnd, bytes)];
      held = held.subarray(bytes);
    }
  }
  if (held.length > 0) throw malformed('its entries end early');
}

/** Of the frame that begins here; undefined as long as its head is not whole. */
function frameBytes(held: Uint8Array): number | undefined {
  if (held.length < HEAD_BYTES) return undefined;
  const head = new DataView(held.buffer, held.byteOffset);
  const [key, value] = [head.getUint16(0), head.getUint32(2)];
  if (key === 0 || key > MAX_KEY_BYTES || value > MAX_VALUE_BYTES) throw malformed('an entry is malformed');
  return HEAD_BYTES + key + value;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first, 0);
  all.set(second, first.length);
  return all;
}

function malformed(problem: string): NectarError {
  return new NectarError('BACKUP_FORMAT_INVALID', { problem });
}
