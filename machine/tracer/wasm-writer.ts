/** Bytes of a WebAssembly module, as its binary format writes them (LEB128). */
export interface WasmWriter {
  /** Bytes as they are: opcodes. */
  op(...bytes: number[]): void;
  unsigned(value: number): void;
  signed(value: number): void;
  append(other: WasmWriter): void;
  bytes(): Uint8Array;
}

const FIRST_BYTES = 1 << 12;

export function createWasmWriter(): WasmWriter {
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;
  const reserve = (more: number): void => {
    if (length + more <= buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * buffer.length, length + more));
    larger.set(buffer);
    buffer = larger;
  };
  const push = (byte: number): void => {
    reserve(1);
    buffer[length] = byte;
    length += 1;
  };
  return {
    op(...bytes) {
      for (const byte of bytes) push(byte);
    },
    unsigned(value) {
      let rest = value >>> 0;
      while (rest > 0x7f) {
        push((rest & 0x7f) | 0x80);
        rest >>>= 7;
      }
      push(rest);
    },
    signed(value) {
      let rest = value | 0;
      for (;;) {
        const byte = rest & 0x7f;
        rest >>= 7;
        if ((rest === 0 && byte < 0x40) || (rest === -1 && byte >= 0x40)) return push(byte);
        push(byte | 0x80);
      }
    },
    append(other) {
      const bytes = other.bytes();
      reserve(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    bytes: () => buffer.subarray(0, length),
  };
}
