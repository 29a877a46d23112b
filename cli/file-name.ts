const WINDOWS_1252 = new TextDecoder('windows-1252');
/** As the node refuses them in names: control characters, and what turns the direction of text around in a list. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** The node takes no more (record-headers.ts). */
const MAX_NAME_CHARS = 512;
const MAX_LABEL_CHARS = 128;
const CONTROL_PICTURES = 0x2400;
const DELETE = 0x7f;

/** A file name as text. A file system keeps bytes: what is no UTF-8 is read as Windows-1252, which old shares and sticks write. */
export function textOfName(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return !text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(bytes) ? text : WINDOWS_1252.decode(bytes);
}

/** The name of a record for a path: control characters become their pictures, and of a path that is too long its end is kept. */
export function recordNameOf(path: string): string {
  return bounded(path, MAX_NAME_CHARS);
}

/** The label for a folder's name. */
export function labelOf(folder: string): string {
  return bounded(folder, MAX_LABEL_CHARS);
}

function bounded(text: string, max: number): string {
  const shown = text.replace(UNPRINTABLE, pictureOf);
  return (shown.length <= max ? shown : `…${shown.slice(1 - max)}`).toWellFormed();
}

function pictureOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === DELETE) return '\u2421';
  return code < 0x20 ? String.fromCodePoint(CONTROL_PICTURES + code) : '\ufffd';
}
