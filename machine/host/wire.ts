import { NectarError } from '../../protocol/errors.ts';

/** Writes the ABI's values: numbers little endian, bytes after their length. */
export interface WireWriter {
  u8(value: number): void;
  u32(value: number): void;
  u64(value: bigint): void;
  /** As they are, without a length. */
  bytes(value: Uint8Array): void;
  /** Length, then bytes. */
  blob(value: Uint8Array): void;
  finish(): Uint8Array;
}

export function createWireWriter(): WireWriter {
  let buffer = new Uint8Array(4096);
  let view = new DataView(buffer.buffer);
  let length = 0;
  const reserve = (bytes: number): number => {
    const at = length;
    length += bytes;
    if (length > buffer.length) {
      const grown = new Uint8Array(Math.max(2 * buffer.length, length));
      grown.set(buffer);
      buffer = grown;
      view = new DataView(buffer.buffer);
    }
    return at;
  };
  // The place is reserved first: that may replace the buffer and its view.
  const writer: WireWriter = {
    u8(value) {
      const at = reserve(1);
      view.setUint8(at, value);
    },
    u32(value) {
      const at = reserve(4);
      view.setUint32(at, value, true);
    },
    u64(value) {
      const at = reserve(8);
      view.setBigUint64(at, value, true);
    },
    bytes(value) {
      const at = reserve(value.length);
      buffer.set(value, at);
    },
    blob(value) {
      writer.u32(value.length);
      writer.bytes(value);
    },
    finish: () => buffer.subarray(0, length),
  };
  return writer;
}

/** Reads what the machine wrote. Views, not copies. Throws ROLLUP_MACHINE_INVALID on anything else. */
export interface WireReader {
  u8(): number;
  u32(): number;
  u64(): bigint;
  bytes(length: number): Uint8Array;
  blob(): Uint8Array;
  isAtEnd(): boolean;
}

export function createWireReader(data: Uint8Array): WireReader {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  const take = (length: number): number => {
    if (length > data.length - at)
      throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: 'its answer is too short' });
    at += length;
    return at - length;
  };
  const bytes = (length: number): Uint8Array => {
    const start = take(length);
    return data.subarray(start, start + length);
  };
  const u32 = (): number => view.getUint32(take(4), true);
  return {
    u8: () => view.getUint8(take(1)),
    u32,
    u64: () => view.getBigUint64(take(8), true),
    bytes,
    blob: () => bytes(u32()),
    isAtEnd: () => at === data.length,
  };
}
