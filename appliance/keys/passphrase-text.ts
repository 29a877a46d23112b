import { decodeEditedText } from '../edited-text.ts';

/**
 * The bytes that a passphrase means, however an editor or a keyboard wrote it: in UTF-8 or UTF-16, without a byte order mark, without
 * one line end at its end, in Unicode's composed form (NFC). undefined when it is not text of one line: nobody could type it again.
 */
export function canonicalPassphrase(bytes: Uint8Array): Uint8Array | undefined {
  const bare = decodeEditedText(bytes)?.replace(/\r?\n$/, '');
  return bare === undefined || /[\r\n\0]/.test(bare) ? undefined : new TextEncoder().encode(bare.normalize('NFC'));
}
