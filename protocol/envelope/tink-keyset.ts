/**
 * A DEK as Google Tink takes it: a cleartext keyset (JSON) of one AesGcmHkdfStreamingKey, primary, RAW.
 * Source: https://github.com/tink-crypto/tink-java/blob/main/proto/aes_gcm_hkdf_streaming.proto
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { KEY_BYTES } from './crypto.ts';

const BASE64 = utf8ToBytes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;
/** Field 1: segments of 2^20 bytes; 2: derived keys of 32 bytes; 3: HKDF with SHA-256. */
const PARAMS = [0x08, 0x80, 0x80, 0x40, 0x10, KEY_BYTES, 0x18, 3];
/** Field 2: the parameters; 3: the key. */
const KEY_HEAD = [0x12, PARAMS.length, ...PARAMS, 0x1a, KEY_BYTES];
const HEAD =
  '{"primaryKeyId":1,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey","value":"';
const TAIL = '","keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":1,"outputPrefixType":"RAW"}]}\n';

/** The keyset as bytes, so that whoever is done with it can wipe it: no text of the key is made. */
export function tinkKeyset(dek: Uint8Array): Uint8Array {
  if (dek.length !== KEY_BYTES) throw new RangeError(`a DEK has ${KEY_BYTES} bytes`);
  const key = Uint8Array.of(...KEY_HEAD, ...dek);
  const [head, tail] = [utf8ToBytes(HEAD), utf8ToBytes(TAIL)];
  const valueBytes = Math.ceil(key.length / 3) * 4;
  const keyset = new Uint8Array(head.length + valueBytes + tail.length);
  keyset.set(head, 0);
  writeBase64(key, keyset.subarray(head.length, head.length + valueBytes));
  keyset.set(tail, head.length + valueBytes);
  key.fill(0);
  return keyset;
}

function writeBase64(bytes: Uint8Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const three = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    for (let digit = 0; digit < 4; digit++) {
      const isPadding = from + digit > bytes.length;
      out[to + digit] = isPadding ? PADDING : (BASE64[(three >> (18 - 6 * digit)) & 63] ?? 0);
    }
  }
}
