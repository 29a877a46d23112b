/** Files beside the log: nonce | ciphertext | tag, under a key of their own of each key of the secret of bodies. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { parseBodySecret } from '../../protocol/envelope/body-secret.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The one that seals, then those that open too. */
export type FileKeys = readonly [Uint8Array, ...Uint8Array[]];

/** @param purpose names the kind of file */
export function fileKeys(secret: Uint8Array, origin: string, purpose: string): FileKeys {
  const derive = (key: Uint8Array): Uint8Array => new Uint8Array(hkdfSync('sha256', key, origin, purpose, 32));
  const [newest, ...former] = parseBodySecret(secret);
  return [derive(newest), ...former.map(derive)];
}

export function sealFile(
  [newest]: FileKeys,
  associated: Uint8Array,
  { plain, randomBytes }: { readonly plain: Uint8Array; readonly randomBytes: (length: number) => Uint8Array },
): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', newest, nonce).setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** undefined when none of the keys opens it. */
export function openFile(keys: FileKeys, associated: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  if (tagAt <= NONCE_BYTES) return undefined;
  for (const key of keys) {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(associated);
    decipher.setAuthTag(sealed.subarray(tagAt));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
    } catch {
      // By another key, or by none.
    }
  }
  return undefined;
}
