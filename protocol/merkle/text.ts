import { bytesToHex } from '@noble/hashes/utils.js';

/**
 * Strict UTF-8 decoding: undefined for bytes that are not UTF-8. Through decodeURIComponent, which is ECMAScript and refuses
 * overlong forms and surrogates; TextDecoder is not part of the language, and protocol/ has no other API.
 */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(bytesToHex(bytes).replace(/../g, '%$&'));
  } catch {
    return undefined;
  }
}
