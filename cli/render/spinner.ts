import { styleText } from 'node:util';
import type { Terminal } from '../terminal.ts';
import { holdKeys } from './held-keys.ts';

const FRAME_MS = 80;
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_LINE = '\r\x1b[K';
const DEFAULT_COLUMNS = 80;
/** A frame, two spaces, a space and the time. */
const DECORATION_COLUMNS = 14;
const INTERRUPTED = 'interrupted, ending cleanly; Ctrl-C again ends at once';

export interface Spinner {
  message(text: string): void;
  /** Leaves one line that says whether the work was done. */
  stop(text: string, outcome: 'done' | 'failed'): void;
}

/**
 * A line on stderr that shows that something goes on, for how long, and that Ctrl-C was heard. It ends nothing by itself: whoever does
 * the work sees `terminal.signal`, undoes it, and stops the spinner.
 */
export function startSpinner(terminal: Terminal, first: string): Spinner {
  const { stderr, signal, env } = terminal;
  const simple = env.TERM === 'linux';
  const frames = simple ? ['-', '\\', '|', '/'] : ['\u25d2', '\u25d0', '\u25d3', '\u25d1'];
  const begun = terminal.now();
  let text = first;
  let turn = 0;
  const colour = (style: 'magenta' | 'green' | 'red', symbol: string): string =>
    env.NO_COLOR ? symbol : styleText(style, symbol, { validateStream: false });
  const draw = (): void => {
    const frame = frames[turn % frames.length] ?? '';
    turn += 1;
    const shown = fit(signal.aborted ? INTERRUPTED : text, stderr.columns);
    stderr.write(`${CLEAR_LINE}${colour('magenta', frame)}  ${shown} ${elapsed(terminal.now() - begun)}`);
  };
  const showCursor = (): void => void stderr.write(SHOW_CURSOR);
  const keys = holdKeys(terminal);
  // A second Ctrl-C ends the program in the middle of a frame.
  process.once('exit', showCursor);
  stderr.write(HIDE_CURSOR);
  draw();
  const timer = setInterval(draw, FRAME_MS);
  return {
    message(next) {
      if (next === text) return;
      text = next;
      draw();
    },
    stop(last, outcome) {
      clearInterval(timer);
      process.off('exit', showCursor);
      keys[Symbol.dispose]();
      const [style, symbol] =
        outcome === 'done'
          ? (['green', simple ? '*' : '\u25c7'] as const)
          : (['red', simple ? 'x' : '\u25b2'] as const);
      stderr.write(`${CLEAR_LINE}${SHOW_CURSOR}${colour(style, symbol)}  ${last}\n`);
    },
  };
}

/** One line of the terminal: what is longer would leave a trail of frames. */
function fit(text: string, columns: number | undefined): string {
  // A terminal may know no size, or have none.
  const room = Math.max((columns || DEFAULT_COLUMNS) - DECORATION_COLUMNS, 1);
  const characters = [...text.replace(/\s+/g, ' ').replace(/\.+$/, '')];
  return characters.length <= room ? characters.join('') : `${characters.slice(0, room - 1).join('')}\u2026`;
}

function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `[${seconds}s]` : `[${Math.floor(seconds / 60)}m ${seconds % 60}s]`;
}
