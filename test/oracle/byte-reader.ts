/** Thrown by a ByteReader, never past the decoder that uses it: a malformed batch is an empty one, not an error. */
export class Malformed extends Error {}

/** Reads what ByteWriter writes, strictly: no overrun, no over-long number, nothing left at the end. */
export interface ByteReader {
  byte(): number;
  /** An unsigned LEB128 in its shortest form, at most `bits` wide. */
  varint(bits: number): bigint;
  /** A varint that is at most `max`, as a number: for counts, lengths and indices. */
  count(max: number): number;
  /** A view of the next `length` bytes (not a copy). */
  bytes(length: number): Uint8Array;
  /** A reader of the next varint-prefixed section. */
  section(): ByteReader;
  end(): void;
}

export function createByteReader(data: Uint8Array): ByteReader {
  let at = 0;
  const byte = (): number => {
    const value = data[at];
    if (value === undefined) throw new Malformed('overrun');
    at += 1;
    return value;
  };
  const varint = (bits: number): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      // Cut before the number grows: a hostile column of 0xff must not build a huge bigint.
      if (shift > BigInt(bits)) throw new Malformed('number too wide');
      const next = byte();
      value |= BigInt(next & 127) << shift;
      if (next < 128) {
        if (next === 0 && shift > 0n) throw new Malformed('number not in shortest form');
        break;
      }
    }
    if (value >> BigInt(bits) !== 0n) throw new Malformed('number too wide');
    return value;
  };
  const count = (max: number): number => {
    const value = varint(32);
    if (value > BigInt(max)) throw new Malformed('count out of bounds');
    return Number(value);
  };
  const bytes = (length: number): Uint8Array => {
    if (length > data.length - at) throw new Malformed('overrun');
    at += length;
    return data.subarray(at - length, at);
  };
  return {
    byte,
    varint,
    count,
    bytes,
    section: () => createByteReader(bytes(count(data.length))),
    end() {
      if (at !== data.length) throw new Malformed('bytes left over');
    },
  };
}
