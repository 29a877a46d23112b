/** Four bytes, big-endian. Without a DataView: V8 moves the bytes out of its heap for it, which takes longer than writing them. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
  return bytes;
}
