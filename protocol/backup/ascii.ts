/** ASCII text as bytes. Throws RangeError for any other character: names and numbers in archives are ASCII. */
export function asciiToBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => {
    const code = char.charCodeAt(0);
    if (code > 0x7f || char.length > 1) throw new RangeError('not ASCII');
    return code;
  });
}

/** Bytes as text, one character each; a byte above 0x7f becomes a character that no ASCII text holds. */
export function bytesToAscii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
