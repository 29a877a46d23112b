/**
 * The secret of an audit log's bodies, and of what is kept beside them.
 *
 *   first:    key(32)
 *   replaced: key(32) of the newest root key | the secret before it
 *
 * The first key seals; all of them open. A log is a mixture for a while after a root key was replaced, and a copy of it for ever.
 */
import { KEY_BYTES } from './crypto.ts';

/** Each makes a body that does not open one try dearer. A secret that has as many stays what it is. */
export const MAX_BODY_KEYS = 32;

/** Whether bytes have the length of a secret of bodies. */
export function isBodySecret({ length }: Uint8Array): boolean {
  return length >= KEY_BYTES && length <= KEY_BYTES * MAX_BODY_KEYS && length % KEY_BYTES === 0;
}

/** 32 bytes each, parts of the secret: the one that seals first. @throws RangeError for bytes of another length */
export function parseBodySecret(secret: Uint8Array): readonly [Uint8Array, ...Uint8Array[]] {
  if (!isBodySecret(secret)) throw new RangeError('a secret of bodies has another length');
  const key = (i: number): Uint8Array => secret.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES);
  return [key(0), ...Array.from({ length: secret.length / KEY_BYTES - 1 }, (_, i) => key(i + 1))];
}

/** The secret that takes the place of another. The caller wipes both. */
export function nextBodySecret(secret: Uint8Array, randomBytes: (length: number) => Uint8Array): Uint8Array {
  if (secret.length >= KEY_BYTES * MAX_BODY_KEYS) return Uint8Array.from(secret);
  const next = new Uint8Array(KEY_BYTES + secret.length);
  next.set(randomBytes(KEY_BYTES));
  next.set(secret, KEY_BYTES);
  return next;
}

/** Whether a secret is another one, or came after it: it opens all that the other one opens. */
export function continuesBodySecret(secret: Uint8Array, other: Uint8Array): boolean {
  const from = secret.length - other.length;
  return from >= 0 && other.every((byte, i) => secret[from + i] === byte);
}
