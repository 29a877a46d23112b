import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { type Output, toJson } from './output.ts';

/** Clears the screen and what is above it, and goes to its first line (ECMA-48). */
const CLEAR = '\u001b[2J\u001b[3J\u001b[H';

/**
 * Shows the same again every `seconds` until Ctrl-C. What fails is shown in its place: a node that is down is a state like any other.
 * On a terminal each picture replaces the one before; elsewhere, and with --json, one follows the other.
 */
export async function watch<O>(call: Call<O>, seconds: number, show: (call: Call<O>) => Promise<void>): Promise<void> {
  const { terminal, output } = call;
  const { signal } = terminal;
  while (!signal.aborted) {
    const parts: string[] = [];
    const result: Output['result'] = (value, text) =>
      void parts.push(output.json ? toJson(value) : typeof text === 'function' ? text() : text);
    try {
      await show({ ...call, output: { ...output, result } });
    } catch (error) {
      if (signal.aborted) return;
      if (!isNectarError(error)) throw error;
      const { code, message, data } = error;
      parts.push(output.json ? toJson({ error: { code, message, data } }) : output.style('red', message));
    }
    const at = `${new Date(terminal.now()).toISOString().slice(0, 19)}Z, anew every ${seconds} s; Ctrl-C ends it`;
    const page = output.json ? parts : [output.style('dim', at), ...parts];
    const clear = terminal.stdout.isTTY === true && !output.json ? CLEAR : '';
    terminal.stdout.write(`${clear}${page.join(output.json ? '\n' : '\n\n')}\n`);
    await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
  }
}
