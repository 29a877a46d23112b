import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Workplace } from './workplace.ts';

const SCRIPT = '/usr/bin/script';
const CTRL_C = '\x03';
const COLUMNS = 80;
/** How long any step may take on a slow machine. */
const PATIENCE_MS = 120_000;

/** script(1) of util-linux, which Debian always has, gives a program a pseudo-terminal of its own. */
export const hasPseudoTerminals: boolean = process.platform === 'linux' && existsSync(SCRIPT);

/** A command with a person at its terminal: what shows, what is typed, and the terminal's end. */
export class PersonAtTerminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #shown = '';
  #changed: () => void = () => undefined;

  constructor(workplace: Workplace, args: readonly string[]) {
    const command = workplace.commandLine(args).map(quote).join(' ');
    this.#child = spawn(SCRIPT, ['-qefc', `stty cols ${COLUMNS} rows 24; exec ${command}`, '/dev/null'], {
      cwd: workplace.folder,
      env: { ...workplace.env, SHELL: '/bin/sh', TERM: 'xterm' },
      stdio: 'pipe',
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#shown += chunk.toString();
      this.#changed();
    });
    this.#child.stdin?.on('error', () => undefined);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  }

  /** Everything that showed, without colours and movements. */
  shown(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told by
    return this.#shown.replaceAll(/\x1b\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '\n');
  }

  /** Whether the person is left without a cursor. */
  hidesCursor(): boolean {
    return this.#shown.lastIndexOf('\x1b[?25l') > this.#shown.lastIndexOf('\x1b[?25h');
  }

  /** Whether the text showed; false when the command ended without it. */
  async sees(text: string): Promise<boolean> {
    let ended = false;
    void this.#ended.then(() => {
      ended = true;
      this.#changed();
    });
    while (!this.shown().includes(text)) {
      if (ended) return false;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return true;
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  pressCtrlC(): void {
    this.type(CTRL_C);
  }

  /** As a person closes the window: the program's terminal is gone. */
  closeWindow(): void {
    this.#child.kill('SIGKILL');
  }

  /** The exit code. */
  ends(): Promise<number | null> {
    return this.#ended;
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
