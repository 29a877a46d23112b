/**
 * A stream's body: frames of one type byte, four bytes of length (big endian) and the payload. It ends with `result` or
 * `error`; a body that ends without one was cut off, whatever HTTP says of it.
 */
const TYPES = { data: 1, item: 2, result: 3, error: 4 } as const;
const HEADER_BYTES = 5;
/** Longer data frames are not written, and not believed. */
const MAX_DATA_BYTES = 64 * 1024 * 1024;

type FrameType = keyof typeof TYPES;

export interface Frame {
  readonly type: FrameType;
  /** Of a data frame, all of it or a piece of PIECE_BYTES: never more is held. */
  readonly payload: Uint8Array;
}

/** A socket hands out 64 KiB at a time; whoever writes it on does better with what the other side wrote at once. */
const PIECE_BYTES = 1024 * 1024;

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

/** Adversary: the other container, with endless or nested lengths; only one bounded message or piece is ever held. */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>, maxPayloadBytes: number): AsyncGenerator<Frame> {
  const head = Buffer.alloc(HEADER_BYTES);
  let filledHead = 0;
  let type: FrameType | undefined;
  let left = 0;
  let piece: Buffer = Buffer.alloc(0);
  let filled = 0;
  let ended = false;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (ended) throw new FrameError('bytes after the end');
      if (type === undefined) {
        const part = chunk.subarray(at, at + HEADER_BYTES - filledHead);
        head.set(part, filledHead);
        filledHead += part.length;
        at += part.length;
        if (filledHead < HEADER_BYTES) break;
        filledHead = 0;
        type = parseType(head, maxPayloadBytes);
        left = head.readUInt32BE(1);
        [piece, filled] = [newPiece(type, left), 0];
      }
      const part = chunk.subarray(at, at + piece.length - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < piece.length) break;
      left -= filled;
      if (filled > 0 || type !== 'data') yield { type, payload: piece };
      if (left > 0) {
        [piece, filled] = [newPiece(type, left), 0];
        continue;
      }
      ended = type === 'result' || type === 'error';
      type = undefined;
    }
  }
  if (!ended) throw new FrameError('it was cut off');
}

/** Memory of its own: it may be wiped, and a small part of it keeps nothing large alive. */
function newPiece(type: FrameType, left: number): Buffer {
  return Buffer.allocUnsafeSlow(type === 'data' ? Math.min(left, PIECE_BYTES) : left);
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
