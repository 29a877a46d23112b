import { NectarError } from '../../../protocol/errors.ts';

/**
 * A snapshot is a sequence of frames: 4 bytes of length, big endian, then so many bytes; a frame of no bytes ends it. Docs:
 * docs/design/0020-validator.md.
 */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export function frame(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

export const END_FRAME: Uint8Array = new Uint8Array(4);

/** Reads frames one by one; memory holds one of them and what the source gives at once. */
export interface FrameReader {
  /** The next frame; undefined at the end. Throws ROLLUP_SNAPSHOT_INVALID when the source ends before. */
  next(): Promise<Uint8Array | undefined>;
}

export function createFrameReader(source: AsyncIterable<Uint8Array>): FrameReader {
  const chunks = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();

  async function take(size: number): Promise<Uint8Array> {
    const parts = [held];
    for (let have = held.length; have < size; ) {
      const { done, value } = await chunks.next();
      if (done === true) throw new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason: 'it is cut off' });
      parts.push(value);
      have += value.length;
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts);
    held = all.subarray(size);
    return all.subarray(0, size);
  }

  return {
    async next() {
      const head = await take(4);
      const size = new DataView(head.buffer, head.byteOffset, 4).getUint32(0);
      if (size > MAX_FRAME_BYTES) throw new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason: 'a part is too large' });
      return size === 0 ? undefined : await take(size);
    },
  };
}
