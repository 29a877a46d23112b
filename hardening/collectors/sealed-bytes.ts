import { ENVELOPE_VERSION } from '../../protocol/envelope/aad.ts';
import { SEALED_VALUE_OVERHEAD_BYTES } from '../../protocol/envelope/sealed-value.ts';

const SAMPLE_BYTES = 4096;

/**
 * Whether bytes have the form of a sealed value (protocol/envelope/sealed-value.ts) and none of a text or a bare key. That they open is
 * for who has the key to say: here it is told apart from what anybody reads.
 */
export function looksSealed(bytes: Uint8Array): boolean {
  if (bytes.length < SEALED_VALUE_OVERHEAD_BYTES || bytes[0] !== ENVELOPE_VERSION) return false;
  const content = bytes.subarray(1, SAMPLE_BYTES);
  const printable = content.filter((byte) => byte >= 0x20 && byte < 0x7f).length;
  return printable < content.length * 0.9 && new Set(content).size > 16;
}
