import { SEALED_VALUE_NONCE_BYTES, SEALED_VALUE_SALT_BYTES } from '../../protocol/envelope/sealed-value.ts';

/** A value for its place, not sealed yet; or that there is none. */
export type IndexWrite =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/**
 * The writes of one batch in one piece of memory, to be sealed by a thread that sees the same memory:
 *
 *   salt (16) | for each write: type (1) | key length (1) | value length (4) | nonce (12) | key | value
 *
 * It never leaves the process.
 */
const HEAD_BYTES = 1 + 1 + 4 + SEALED_VALUE_NONCE_BYTES;
const PUT = 1;
const DEL = 0;

/** A write as it was packed: views of that memory. */
export interface UnpackedWrite {
  readonly type: 'put' | 'del';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Random bytes that so many writes need. */
export function packedRandomBytes(writes: number): number {
  return SEALED_VALUE_SALT_BYTES + writes * SEALED_VALUE_NONCE_BYTES;
}

export function packedBytes(writes: readonly IndexWrite[]): number {
  let bytes = SEALED_VALUE_SALT_BYTES;
  for (const op of writes) bytes += HEAD_BYTES + op.key.length + (op.type === 'put' ? op.value.length : 0);
  return bytes;
}

/** @param random packedRandomBytes fresh random bytes @param room packedBytes */
export function packWrites(writes: readonly IndexWrite[], random: Uint8Array, room: Uint8Array): void {
  const view = new DataView(room.buffer, room.byteOffset, room.byteLength);
  room.set(random.subarray(0, SEALED_VALUE_SALT_BYTES));
  let at = SEALED_VALUE_SALT_BYTES;
  let drawn = SEALED_VALUE_SALT_BYTES;
  for (const op of writes) {
    const { key } = op;
    const value = op.type === 'put' ? op.value : NONE;
    room[at] = op.type === 'put' ? PUT : DEL;
    room[at + 1] = key.length;
    view.setUint32(at + 2, value.length);
    room.set(random.subarray(drawn, drawn + SEALED_VALUE_NONCE_BYTES), at + HEAD_BYTES - SEALED_VALUE_NONCE_BYTES);
    drawn += SEALED_VALUE_NONCE_BYTES;
    at += HEAD_BYTES;
    room.set(key, at);
    room.set(value, at + key.length);
    at += key.length + value.length;
  }
}

export function unpackWrites(packed: Uint8Array): { readonly salt: Uint8Array; readonly writes: UnpackedWrite[] } {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const writes: UnpackedWrite[] = [];
  for (let at = SEALED_VALUE_SALT_BYTES; at < packed.length; ) {
    const type = packed[at] === PUT ? 'put' : 'del';
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + (packed[at + 1] ?? 0);
    const end = valueAt + view.getUint32(at + 2);
    writes.push({
      type,
      nonce: packed.subarray(keyAt - SEALED_VALUE_NONCE_BYTES, keyAt),
      // LevelDB takes no shared memory; small buffers are parts of a common one, and cost no memory of their own.
      key: Buffer.from(packed.subarray(keyAt, valueAt)),
      value: packed.subarray(valueAt, end),
    });
    at = end;
  }
  return { salt: packed.subarray(0, SEALED_VALUE_SALT_BYTES), writes };
}

const NONE = new Uint8Array(0);
