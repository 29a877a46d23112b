/**
 * One line that is safe to show. Names come from whoever made the container or the file: control characters in them would drive a
 * terminal, and those that turn the direction of writing would make one name look like another.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
    .trim();
}
