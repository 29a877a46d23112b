import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { type EnvelopeCrypto, TAG_BYTES } from '../protocol/envelope/crypto.ts';
import { freeBytes } from './stream-memory.ts';

const ALGORITHM = 'aes-256-gcm';

/** The envelope's primitives by node:crypto (OpenSSL, AES-NI). */
export const nodeEnvelopeCrypto: EnvelopeCrypto = {
  seal(key, nonce, aad, plaintext, room = Buffer.allocUnsafeSlow(plaintext.length + TAG_BYTES)) {
    sealInto(keyObject(key), { nonce, aad, plaintext, room });
    return room;
  },
  sealer(key) {
    const ready = keyObject(key);
    return (nonce, aad, plaintext, room) => sealInto(ready, { nonce, aad, plaintext, room });
  },
  open: (key, nonce, aad, sealed) => openUnder(keyObject(key), { nonce, aad, sealed }),
  opener(key) {
    const ready = keyObject(key);
    return (nonce, aad, sealed) => openUnder(ready, { nonce, aad, sealed });
  },
  hkdf: (ikm, salt, info, length) => new Uint8Array(hkdfSync('sha256', keyObject(ikm), salt, info, length)),
};

/** Bytes would do as well, but Node first tries them as a KeyObject and as a CryptoKey, by two exceptions: half of a small seal. */
function keyObject(key: Uint8Array): KeyObject {
  return createSecretKey(key);
}

function openUnder(
  key: KeyObject,
  { nonce, aad, sealed }: Readonly<Record<'nonce' | 'aad' | 'sealed', Uint8Array>>,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}

function sealInto(
  key: KeyObject,
  { nonce, aad, plaintext, room }: Readonly<Record<'nonce' | 'aad' | 'plaintext' | 'room', Uint8Array>>,
): void {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  if (aad.length > 0) cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  room.set(ciphertext);
  room.set(cipher.getAuthTag(), ciphertext.length);
  freeBytes(ciphertext);
}
