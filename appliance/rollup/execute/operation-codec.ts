/** Operations that write the state, in one buffer: many small ones would cost a thread more to hand over than to make. */
import type { SealedOperation } from './sealed-level.ts';

/** (length of the key 1 | key | length of the value 4 | value)*, all of them puts of what is sealed already. */
export function encodeOperations(operations: readonly SealedOperation[]): Uint8Array {
  let length = 0;
  for (const operation of operations) {
    if (operation.type === 'put') length += 5 + operation.key.length + operation.value.length;
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const operation of operations) {
    if (operation.type !== 'put') continue;
    const { key, value } = operation;
    bytes[at] = key.length;
    bytes.set(key, at + 1);
    at += 1 + key.length;
    view.setUint32(at, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

/** Views of what `encodeOperations` made. */
export function decodeOperations(bytes: Uint8Array): SealedOperation[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const operations: SealedOperation[] = [];
  for (let at = 0; at < bytes.length; ) {
    const valueAt = at + 1 + view.getUint8(at);
    const end = valueAt + 4 + view.getUint32(valueAt, true);
    operations.push({
      type: 'put',
      key: bytes.subarray(at + 1, valueAt),
      value: bytes.subarray(valueAt + 4, end),
      asIs: true,
    });
    at = end;
  }
  return operations;
}
