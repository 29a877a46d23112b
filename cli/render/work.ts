import type { Terminal } from '../terminal.ts';
import type { Output } from './output.ts';
import { startSpinner } from './spinner.ts';

/** What work says of itself. What `matters` (it waits for another command) is shown outside a terminal too. */
export type Say = (text: string, matters?: 'matters') => void;

/** Shows on stderr that something goes on: a spinner with the seconds on a terminal, one line elsewhere, nothing with --json. */
export async function showWork<T>(
  terminal: Terminal,
  output: Output,
  what: string,
  work: (say: Say) => Promise<T>,
): Promise<T> {
  if (output.json) return work(() => undefined);
  if (terminal.stderr.isTTY !== true || terminal.env.TERM === 'dumb') {
    output.note(`${what} ...`);
    return work((text, matters) => {
      if (matters !== undefined) output.note(text);
    });
  }
  const shown = startSpinner(terminal, what);
  try {
    const result = await work((text) => shown.message(text));
    shown.stop(what, 'done');
    return result;
  } catch (error) {
    shown.stop(what, 'failed');
    throw error;
  }
}
