import { printable } from '../printable.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a text is shown: its width, and how it colours. */
export interface Screen {
  readonly columns: number;
  readonly style: (style: Style, text: string) => string;
}

/** For pipes and files: no colour, and as wide as a page. */
export const PLAIN: Screen = { columns: 100, style: (_style, text) => text };

/** Narrower than this nothing is readable: then lines run over instead. */
const MIN_TEXT_COLUMNS = 20;

/**
 * Breaks a text into lines, the first after `head`, the others indented as far. What stands in backticks is a command, which
 * must survive copying: it is not broken, but runs over the edge where it is too long.
 */
export function hang(head: string, text: string, { columns }: Screen, headWidth: number = head.length): string[] {
  const width = Math.max(MIN_TEXT_COLUMNS, columns - headWidth);
  const words = printable(text).match(/[^\s`]*`[^`]*`[^\s`]*|\S+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((one, index) => (index === 0 ? head : ' '.repeat(headWidth)) + one);
}
