import { isNectarError, NectarError } from '../protocol/errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * Does work that leaves something when a person ends it. The error then says what, and the command that goes on or undoes it. `left`
 * is asked at that moment; undefined: nothing.
 */
export async function leaving<T>(
  terminal: Pick<Terminal, 'signal'>,
  left: () => string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = isNectarError(error, 'CLI_INTERRUPTED') ? error.data.left : undefined;
    if (said !== undefined || !(terminal.signal.aborted || isNectarError(error, 'CLI_INTERRUPTED'))) throw error;
    const rest = left();
    if (rest === undefined) throw error;
    const signal = String(terminal.signal.reason ?? 'SIGINT');
    throw new NectarError('CLI_INTERRUPTED', { signal, left: rest }, { cause: error });
  }
}

/** A stream that ends with the signal: its reader cleans up as after any other failure. */
export async function* untilInterrupted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const item of source) {
    signal.throwIfAborted();
    yield item;
  }
}
