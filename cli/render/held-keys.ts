import { readFileSync } from 'node:fs';
import type { Terminal } from '../terminal.ts';

const CTRL_C = 0x03;
const CTRL_BACKSLASH = 0x1c;

/**
 * Takes the keyboard while work shows: what is typed meanwhile, perhaps a passphrase too early, neither shows nor reaches the next
 * prompt. Keys raise no signals then, so Ctrl-C is passed on from here. Nothing where no terminal is read, or where another program
 * has it: a command in the background would be stopped for touching it (tty_ioctl(4), SIGTTOU).
 */
export function holdKeys(terminal: Pick<Terminal, 'stdin' | 'interrupt'>): Disposable {
  const { stdin } = terminal;
  if (stdin.isTTY !== true || stdin.setRawMode === undefined || !isInForeground())
    return { [Symbol.dispose]: () => undefined };
  const onKeys = (keys: Buffer | string): void => {
    if (Buffer.from(keys).some((key) => key === CTRL_C || key === CTRL_BACKSLASH)) terminal.interrupt();
  };
  const wasRaw = stdin.isRaw === true;
  stdin.setRawMode(true);
  stdin.on('data', onKeys);
  stdin.resume();
  return {
    [Symbol.dispose]() {
      stdin.off('data', onKeys);
      stdin.pause();
      stdin.setRawMode?.(wasRaw);
    },
  };
}

/** Whether the terminal belongs to this process's group: fields 5 and 8 of proc(5). Where there is no /proc it is taken to. */
function isInForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}
