import { bytesToHex } from '@noble/hashes/utils.js';

/** Arguments of one call: well below what every engine takes. */
const ASCII_CHUNK = 8_192;

/**
 * Strict UTF-8 decoding: undefined for bytes that are not UTF-8. Through decodeURIComponent, which is ECMAScript and refuses
 * overlong forms and surrogates; TextDecoder is not part of the language, and protocol/ has no other API.
 */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte < 0x80)) return parseAscii(bytes);
  try {
    return decodeURIComponent(bytesToHex(bytes).replace(/../g, '%$&'));
  } catch {
    return undefined;
  }
}

function parseAscii(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += ASCII_CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + ASCII_CHUNK));
  return text;
}
