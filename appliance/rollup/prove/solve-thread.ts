import { NectarError } from '../../../protocol/errors.ts';
import { fromThreadError, programBeside, startThread, type ThreadError } from '../execute/thread.ts';

/** The circuit, and its inputs as ACVM takes them. */
export interface SolveSetup {
  readonly bytecode: Uint8Array;
  readonly inputs: ReadonlyMap<number, string>;
}

export type SolveReply = { readonly solved: Uint8Array } | { readonly error: ThreadError };

/** ACVM's own memory is WebAssembly's, 4 GiB at most, of which a step takes some 30 MiB. */
const MAX_HEAP_MB = 256;

/**
 * Solves the circuit in a thread of its own, which ends with it: the node's thread has no time for it, and where ACVM panics its
 * promise never settles.
 * @returns all witnesses, compressed, as bb reads them
 */
export async function solveInThread(
  setup: SolveSetup,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const thread = startThread<never, SolveReply>({
    name: 'solve',
    program: programBeside(import.meta.url, 'solve-worker'),
    setup,
    maxHeapMb: MAX_HEAP_MB,
  });
  thread.onReply((reply) => ('error' in reply ? reject(fromThreadError(reply.error)) : resolve(reply.solved)));
  thread.onExit((error) => reject(failed(`the thread that solves the circuit ended: ${error?.message ?? ''}`, error)));
  const late = setTimeout(() => reject(failed('the circuit was not solved in time')), timeoutMs);
  const stop = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', stop);
    await thread.end();
  }
}

function failed(reason: string, cause?: unknown): NectarError<'ROLLUP_PROOF_FAILED'> {
  return new NectarError('ROLLUP_PROOF_FAILED', { reason }, { cause });
}
