import { printable } from '../printable.ts';

/**
 * A text for a SARIF message, where `{0}` stands for an argument and `[text](target)` for a link (SARIF 2.1.0, 3.11.5 and 3.11.6):
 * no name of a container may become either.
 */
export function sarifText(text: string): string {
  const plain = printable(text)
    .replaceAll(/\{(\d+)\}/g, '{ $1 }')
    .replaceAll('](', '] (');
  return plain || '(nothing)';
}
