import { CommanderError } from 'commander';
import { isDiskFull } from '../../appliance/durable-file.ts';
import { NectarError } from '../../protocol/errors.ts';
import { guidanceOf } from '../errors/guidance-of.ts';
import { toJson } from './output.ts';
import { printable } from './table.ts';

/** An error as a command shows it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly data: unknown;
  readonly remedy: string;
  readonly exit: number;
}

/** What a disk, or its owner, says to a file that nobody foresaw: no bug of ours. */
const REFUSALS = new Set(['EROFS', 'EIO', 'ENXIO', 'ESTALE', 'EACCES', 'EPERM']);

/** Turns whatever was thrown into a registry error; what is not ours is a bug, except for the usage errors of commander. */
export function describeProblem(thrown: unknown): Problem {
  const error = toNectarError(thrown);
  return { code: error.code, message: error.message, data: error.data, ...guidanceOf(error.code) };
}

function toNectarError(thrown: unknown): NectarError {
  if (thrown instanceof NectarError) return thrown;
  if (thrown instanceof CommanderError) {
    return new NectarError('CLI_USAGE', { problem: thrown.message.replace(/^error: /, '').replace('\n', ' ') });
  }
  const system = thrown as NodeJS.ErrnoException;
  if (isDiskFull(thrown)) return new NectarError('NODE_DISK_FULL', { path: system.path ?? 'the output' });
  if (system.path !== undefined && REFUSALS.has(system.code ?? ''))
    return new NectarError('CLI_DISK_REFUSED', { path: system.path, reason: system.code ?? '' }, { cause: thrown });
  const problem = thrown instanceof Error ? thrown.message : String(thrown);
  return new NectarError('CLI_INTERNAL', { problem }, { cause: thrown });
}

/** With `--json` one JSON object, else the message, what to do, and the code to look up; the stack only when asked for. */
export function renderProblem(thrown: unknown, options: { json: boolean; debug: boolean }): string {
  const { code, message, data, remedy } = describeProblem(thrown);
  if (options.json) {
    const stack = options.debug && thrown instanceof Error ? [String(thrown.stack), ...causes(thrown)] : undefined;
    return toJson({ error: { code, message, data, remedy, stack } });
  }
  const lines = [`nectar-byon: ${message.split('\n').map(printable).join('\n')}`, `  ${remedy}`, `  ${code}`];
  if (options.debug && thrown instanceof Error) lines.push('', String(thrown.stack), ...causes(thrown));
  return lines.join('\n');
}

function causes(error: Error): string[] {
  if (!(error.cause instanceof Error)) return [];
  return [`caused by: ${error.cause.stack ?? error.cause.message}`, ...causes(error.cause)];
}
