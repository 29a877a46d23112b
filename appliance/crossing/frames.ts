/**
 * A stream's body: frames of one type byte, four bytes of length (big endian) and the payload. It ends with `result` or
 * `error`; a body that ends without one was cut off, whatever HTTP says of it.
 */
const TYPES = { data: 1, item: 2, result: 3, error: 4 } as const;
const HEADER_BYTES = 5;
/** Longer data frames are not written, and not believed. */
const MAX_DATA_BYTES = 64 * 1024 * 1024;
/** A socket hands out 64 KiB at a time; whoever writes it on does better with what the other side wrote at once. */
const PIECE_BYTES = 1024 * 1024;

type FrameType = keyof typeof TYPES;

export interface Frame {
  readonly type: FrameType;
  /** Of a data frame, all of it or a piece of PIECE_BYTES: never more is held. Memory of its own, so it may be wiped. */
  readonly payload: Uint8Array;
}

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

/** Takes bytes as they come, and copies them: the caller's buffer is its own again at once. */
export interface FrameParser {
  /** The frames, and pieces of data frames, that these bytes complete. @throws FrameError */
  push(bytes: Uint8Array): Frame[];
  /** Whether the last frame was there. */
  readonly ended: boolean;
}

/** Adversary: the other container, with endless or nested lengths; only one bounded message or piece is ever held. */
export function createFrameParser(maxPayloadBytes: number): FrameParser {
  const head = Buffer.alloc(HEADER_BYTES);
  let headFilled = 0;
  let type: FrameType | undefined;
  let left = 0;
  let piece: Buffer = head;
  let filled = 0;
  let ended = false;

  /** Copies what fits; true once it is full. */
  function fill(into: Buffer, from: number, bytes: Uint8Array): number {
    const part = bytes.subarray(0, into.length - from);
    into.set(part, from);
    return part.length;
  }

  function begin(): void {
    piece = Buffer.allocUnsafeSlow(type === 'data' ? Math.min(left, PIECE_BYTES) : left);
    filled = 0;
  }

  return {
    push(bytes) {
      const frames: Frame[] = [];
      let rest = bytes;
      while (rest.length > 0) {
        if (ended) throw new FrameError('bytes after the end');
        if (type === undefined) {
          const taken = fill(head, headFilled, rest);
          headFilled += taken;
          rest = rest.subarray(taken);
          if (headFilled < HEADER_BYTES) break;
          headFilled = 0;
          type = parseType(head, maxPayloadBytes);
          left = head.readUInt32BE(1);
          begin();
        }
        const taken = fill(piece, filled, rest);
        filled += taken;
        rest = rest.subarray(taken);
        if (filled < piece.length) break;
        left -= filled;
        if (filled > 0 || type !== 'data') frames.push({ type, payload: piece });
        if (left > 0) {
          begin();
          continue;
        }
        ended = type === 'result' || type === 'error';
        type = undefined;
      }
      return frames;
    },
    get ended() {
      return ended;
    },
  };
}

export async function* readFrames(chunks: AsyncIterable<Uint8Array>, maxPayloadBytes: number): AsyncGenerator<Frame> {
  const parser = createFrameParser(maxPayloadBytes);
  for await (const chunk of chunks) yield* parser.push(chunk);
  if (!parser.ended) throw new FrameError('it was cut off');
}

function parseType(head: Buffer, maxPayloadBytes: number): FrameType {
  const [code, length] = [head.readUInt8(0), head.readUInt32BE(1)];
  const type = (Object.keys(TYPES) as FrameType[]).find((name) => TYPES[name] === code);
  if (type === undefined) throw new FrameError('unknown frame type');
  if (length === 0) throw new FrameError('empty frame');
  if (length > (type === 'data' ? MAX_DATA_BYTES : maxPayloadBytes)) throw new FrameError('frame too long');
  return type;
}

/** Pieces gathered until they are worth a frame, uncopied: TLS hands out 16 KiB at a time, and each frame costs a write. */
export async function* dataFrames(
  source: AsyncIterable<Uint8Array>,
  batchBytes: number,
): AsyncGenerator<Uint8Array[], void, void> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of source) {
    if (piece.length === 0) continue;
    parts.push(piece);
    size += piece.length;
    if (size < batchBytes) continue;
    yield [frameHeader('data', size), ...parts];
    parts = [];
    size = 0;
  }
  if (size > 0) yield [frameHeader('data', size), ...parts];
}
