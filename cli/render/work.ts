import { spinner } from '@clack/prompts';
import { promptIo } from '../prompt.ts';
import type { Terminal } from '../terminal.ts';
import type { Output } from './output.ts';

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
  if (terminal.stderr.isTTY !== true) {
    output.note(`${what} ...`);
    return work((text, matters) => {
      if (matters !== undefined) output.note(text);
    });
  }
  const { output: stream } = promptIo(terminal);
  const shown = spinner({ indicator: 'timer', output: stream, withGuide: false });
  shown.start(what);
  try {
    const result = await work((text) => shown.message(text));
    shown.stop(what);
    return result;
  } catch (error) {
    shown.error(what);
    throw error;
  }
}
