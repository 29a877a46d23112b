const BOM = 0xfeff;

/**
 * The bytes that a passphrase means, however an editor or a keyboard wrote it: without a byte order mark, without one line end at
 * its end, in Unicode's composed form (NFC). undefined when it is not UTF-8 text of one line: nobody could type it again.
 */
export function canonicalPassphrase(bytes: Uint8Array): Uint8Array | undefined {
  const text = decode(bytes);
  if (text === undefined) return undefined;
  const bare = (text.charCodeAt(0) === BOM ? text.slice(1) : text).replace(/\r?\n$/, '');
  return /[\r\n\0]/.test(bare) ? undefined : new TextEncoder().encode(bare.normalize('NFC'));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
