import type { Output } from './output.ts';
import { printable } from './table.ts';

export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

const STYLES = { error: 'red', warn: 'yellow', info: 'green', debug: 'dim' } as const;

/** What of a node's log is read: the last lines, or those since a moment (milliseconds of Unix time). */
export interface LogTail {
  readonly lines: number;
  readonly since?: number;
}

/** What of a log is asked for. */
export interface LogChoice {
  readonly level: Level;
  /** In milliseconds of Unix time: not before, and before. */
  readonly since?: number;
  readonly until?: number;
}

/**
 * A log line for a person (or as it is with --json); undefined when its level is below what is asked for, or its time is outside. What has
 * no time, such as the last words of a process that crashed, is shown.
 */
export function renderLogLine(
  line: string,
  { level: atLeast, since, until }: LogChoice,
  output: Pick<Output, 'json' | 'style'>,
): string | undefined {
  if (line.trim() === '') return undefined;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    // What the runtime itself prints, such as a crash: always worth seeing.
    return output.json ? JSON.stringify({ level: 'error', msg: line }) : printable(line);
  }
  const ending = endingError(entry);
  if (ending !== undefined) return output.json ? line : `${output.style('red', 'error')} ${printable(ending)}`;
  const level = LEVELS.find((name) => name === entry.level) ?? 'info';
  if (LEVELS.indexOf(level) > LEVELS.indexOf(atLeast)) return undefined;
  const at = typeof entry.time === 'string' ? Date.parse(entry.time) : Number.NaN;
  if (at < (since ?? Number.NEGATIVE_INFINITY) || at >= (until ?? Number.POSITIVE_INFINITY)) return undefined;
  if (output.json) return line;
  const { time, msg, service, level: _level, ...data } = entry;
  const clock = typeof time === 'string' ? `${time.slice(0, 23).replace('T', ' ')}Z` : '';
  const facts = Object.entries(data).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const words = [
    output.style('dim', clock),
    output.style(STYLES[level], level.padEnd(5)),
    service,
    msg,
    output.style('dim', printable(facts.join(' '))),
  ];
  return words
    .filter((word) => word !== undefined && word !== '')
    .map(String)
    .join(' ');
}

/** The error with which the process ended is its last line: `{ error: { code, message } }`, without time or level. */
function endingError({ error }: Record<string, unknown>): string | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' && typeof message === 'string' ? `${message} (${code})` : undefined;
}
