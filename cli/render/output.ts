import { styleText } from 'node:util';
import type { Terminal } from '../terminal.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Results go to stdout, everything said to the person to stderr: `nectar-byon ls > file` holds the list alone. */
export interface Output {
  readonly json: boolean;
  /** The command's result: one JSON line with `--json`, else the text. */
  result(value: unknown, text: string | (() => string)): void;
  /** A line for the person; silent with `--json`. */
  note(text: string): void;
  /** Colour where stderr or stdout shows it; plain in pipes and with NO_COLOR. */
  style(style: Style, text: string): string;
}

export function createOutput(terminal: Terminal, json: boolean): Output {
  const coloured = terminal.stdout.isTTY === true && !terminal.env.NO_COLOR && terminal.env.TERM !== 'dumb';
  return {
    json,
    result(value, text) {
      const line = json ? toJson(value) : typeof text === 'function' ? text() : text;
      terminal.stdout.write(`${line}\n`);
    },
    note(text) {
      if (!json) terminal.stderr.write(`${text}\n`);
    },
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** JSON on one line; a bigint becomes a decimal string. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}
