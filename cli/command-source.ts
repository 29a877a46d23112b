import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NectarError } from '../protocol/errors.ts';
import type { PutSource } from './put-sources.ts';

/**
 * What a command prints, as one thing to put. Its end comes only when the command has ended well: the node keeps nothing of a body
 * that breaks off, so half a dump is never stored as a whole one. Its stdin and stderr are ours.
 */
export function commandSource(words: readonly string[]): PutSource {
  const [program = '', ...args] = words;
  return {
    file: program,
    name: undefined,
    folders: [],
    bytes: undefined,
    contentType: 'application/octet-stream',
    open: () => output(program, args),
  };
}

async function* output(program: string, args: readonly string[]): AsyncGenerator<Uint8Array> {
  const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  try {
    yield* child.stdout;
    const [exitCode, signal] = await ended;
    if (exitCode !== 0) {
      const reason = exitCode === null ? `was ended by ${signal}` : `ended with exit code ${exitCode}`;
      throw new NectarError('CLI_COMMAND_FAILED', { command: program, reason });
    }
  } catch (error) {
    if (error instanceof NectarError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError(
      'CLI_COMMAND_FAILED',
      { command: program, reason: `cannot run (${code ?? message})` },
      { cause: error },
    );
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  }
}

/** The bytes, and an error when there are none: an empty dump is a dump that failed. */
export async function* notEmpty(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of source) {
    isEmpty &&= chunk.length === 0;
    yield chunk;
  }
  if (isEmpty) throw new NectarError('CLI_INPUT_EMPTY', { input: name });
}
