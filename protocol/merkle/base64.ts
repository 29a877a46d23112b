import { NectarError } from '../errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Standard base64 with padding (RFC 4648, 4), as in signed notes. Pure ECMAScript: protocol/ has no Node API. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = a * 65536 + b * 256 + c;
    const digits = [bits >> 18, (bits >> 12) & 63, (bits >> 6) & 63, bits & 63].map((digit) => ALPHABET.charAt(digit));
    const present = Math.min(3, bytes.length - i) + 1;
    text += digits.slice(0, present).join('').padEnd(4, '=');
  }
  return text;
}

/**
 * Parses standard base64, and only its one canonical form: a second spelling of the same bytes would let a signed file be
 * altered without notice. Throws AUDIT_NOTE_INVALID.
 */
export function parseBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.replace(/={1,2}$/, '').length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const char of text.replace(/={1,2}$/, '')) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) throw new NectarError('AUDIT_NOTE_INVALID', { reason: 'not base64' });
    bits = (bits * 64 + digit) % 4096;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 255;
  }
  if (encodeBase64(bytes) !== text) throw new NectarError('AUDIT_NOTE_INVALID', { reason: 'base64 is not canonical' });
  return bytes;
}
