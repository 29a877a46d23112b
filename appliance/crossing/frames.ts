/**
 * What goes over a connection: frames of one type byte, four bytes of length (big endian) and the payload. A call is `call`
 * (its name) and `item` (its input), for an upload then `data` and an empty-handed `result`; the answer is any `item` and
 * `data`, and `result` or `error`. An answer without one of these two was cut off.
 */
const TYPES = { data: 1, item: 2, result: 3, error: 4, call: 5 } as const;
const HEADER_BYTES = 5;
/** Longer data frames are not written, and not believed. */
export const MAX_DATA_BYTES = 64 * 1024 * 1024;
/** A socket hands out 64 KiB at a time; whoever writes it on does better with what the other side wrote at once. */
const PIECE_BYTES = 1024 * 1024;

export type FrameType = keyof typeof TYPES;

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

/** Whoever the frames are for. */
export interface FrameReceiver {
  /** The longest payload that is believed of this type now; 0 when none is expected. */
  maxBytes(type: FrameType): number;
  take(frame: Frame): void;
}

/** Takes bytes as they come, and copies them: the caller's buffer is its own again at once. */
export interface FrameParser {
  /** Hands on the frames, and pieces of data frames, that these bytes complete. @throws FrameError */
  push(bytes: Uint8Array): void;
}

/** Adversary: the other container, with endless or nested lengths; only one bounded message or piece is ever held. */
export function createFrameParser(receiver: FrameReceiver): FrameParser {
  const head = Buffer.alloc(HEADER_BYTES);
  let headFilled = 0;
  let type: FrameType | undefined;
  let left = 0;
  let piece: Buffer = head;
  let filled = 0;

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
      let rest = bytes;
      while (rest.length > 0) {
        if (type === undefined) {
          const taken = fill(head, headFilled, rest);
          headFilled += taken;
          rest = rest.subarray(taken);
          if (headFilled < HEADER_BYTES) break;
          headFilled = 0;
          type = parseType(head, receiver);
          left = head.readUInt32BE(1);
          begin();
        }
        const taken = fill(piece, filled, rest);
        filled += taken;
        rest = rest.subarray(taken);
        if (filled < piece.length) break;
        left -= filled;
        receiver.take({ type, payload: piece });
        if (left > 0) begin();
        else type = undefined;
      }
    },
  };
}

function parseType(head: Buffer, receiver: FrameReceiver): FrameType {
  const [code, length] = [head.readUInt8(0), head.readUInt32BE(1)];
  const type = (Object.keys(TYPES) as FrameType[]).find((name) => TYPES[name] === code);
  if (type === undefined) throw new FrameError('unknown frame type');
  if (length === 0) throw new FrameError('empty frame');
  const maxBytes = receiver.maxBytes(type);
  if (maxBytes === 0) throw new FrameError(`a frame ${type} out of turn`);
  if (length > maxBytes) throw new FrameError(`longer than ${maxBytes} bytes`);
  return type;
}

/** Pieces gathered until they are worth a frame, uncopied: TLS hands out 16 KiB at a time, and each frame costs a write. */
export async function* batched(
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
    yield parts;
    parts = [];
    size = 0;
  }
  if (size > 0) yield parts;
}
