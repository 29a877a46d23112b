/**
 * The text of a file that a person has typed or edited, whatever the editor wrote: UTF-8 with or without a byte order mark, or UTF-16
 * (Notepad's "Unicode", `>` of PowerShell) with one, or without one where the first character is of ASCII. The mark is not part of the
 * text. undefined for bytes that are no such text.
 */
export function decodeEditedText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== undefined && second !== 0)) return 'utf-16be';
  return 'utf-8';
}
