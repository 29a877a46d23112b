import { concatBytes } from '@noble/hashes/utils.js';

/** An append-only byte column. Numbers are unsigned LEB128: seven bits a byte, least significant first, shortest form. */
export interface ByteWriter {
  byte(value: number): void;
  varint(value: bigint | number): void;
  bytes(value: Uint8Array): void;
  finish(): Uint8Array;
}

/** Creates an empty column. Values are copied by `finish`, not before: do not change what was appended. */
export function createByteWriter(): ByteWriter {
  const chunks: Uint8Array[] = [];
  let pending: number[] = [];
  const settle = (): void => {
    if (pending.length > 0) chunks.push(Uint8Array.from(pending));
    pending = [];
  };
  return {
    byte(value) {
      pending.push(value);
    },
    varint(value) {
      let rest = BigInt(value);
      while (rest > 127n) {
        pending.push(Number(rest & 127n) | 128);
        rest >>= 7n;
      }
      pending.push(Number(rest));
    },
    bytes(value) {
      settle();
      chunks.push(value);
    },
    finish() {
      settle();
      return concatBytes(...chunks);
    },
  };
}
