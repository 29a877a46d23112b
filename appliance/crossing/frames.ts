/**
 * A stream's body: frames of one type byte, four bytes of length (big endian) and the payload. It ends with `result` or
 * `error`; a body that ends without one was cut off, whatever HTTP says of it.
 */
const TYPES = { data: 1, item: 2, result: 3, error: 4 } as const;
const HEADER_BYTES = 5;
/** Longer data frames are not written, and not believed. */
const MAX_DATA_BYTES = 64 * 1024 * 1024;

type FrameType = keyof typeof TYPES;

export type Frame =
  /** Data comes in the pieces in which it arrives. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'item' | 'result' | 'error'; readonly payload: Uint8Array };

/** What arrived is no sequence of frames, or not all of it. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function frameHeader(type: FrameType, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt8(TYPES[type], 0);
  header.writeUInt32BE(length, 1);
  return header;
}

export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(type, payload.length), payload]);
}

/** Adversary: the other container, with endless or nested lengths; only one bounded message is ever held. */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>, maxPayloadBytes: number): AsyncGenerator<Frame> {
  const state = { head: Buffer.alloc(HEADER_BYTES), filled: 0, left: 0, ended: false };
  let type: FrameType | undefined;
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (state.ended) throw new FrameError('bytes after the end');
      if (type === undefined) {
        const take = Math.min(HEADER_BYTES - state.filled, chunk.length - at);
        state.head.set(chunk.subarray(at, at + take), state.filled);
        state.filled += take;
        at += take;
        if (state.filled < HEADER_BYTES) continue;
        state.filled = 0;
        type = parseType(state.head, maxPayloadBytes);
        state.left = state.head.readUInt32BE(1);
      }
      const piece = chunk.subarray(at, at + state.left);
      at += piece.length;
      state.left -= piece.length;
      if (type === 'data') {
        if (piece.length > 0) yield { type, bytes: piece };
      } else {
        parts.push(piece);
      }
      if (state.left > 0) continue;
      if (type !== 'data') {
        yield { type, payload: Buffer.concat(parts) };
        parts = [];
        state.ended = type !== 'item';
      }
      type = undefined;
    }
  }
  if (!state.ended) throw new FrameError('it was cut off');
}

function parseType(head: Buffer, maxPayloadBytes: number): FrameType {
  const [code, length] = [head.readUInt8(0), head.readUInt32BE(1)];
  const type = (Object.keys(TYPES) as FrameType[]).find((name) => TYPES[name] === code);
  if (type === undefined) throw new FrameError('unknown frame type');
  if (length > (type === 'data' ? MAX_DATA_BYTES : maxPayloadBytes)) throw new FrameError('frame too long');
  return type;
}

/** Pieces gathered until they are worth a frame: TLS hands out 16 KiB at a time, and each frame costs a write. */
export async function* dataFrames(source: AsyncIterable<Uint8Array>, batchBytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of source) {
    if (piece.length === 0) continue;
    parts.push(piece);
    size += piece.length;
    if (size < batchBytes) continue;
    yield Buffer.concat([frameHeader('data', size), ...parts], HEADER_BYTES + size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat([frameHeader('data', size), ...parts], HEADER_BYTES + size);
}
