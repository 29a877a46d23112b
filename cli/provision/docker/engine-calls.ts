import type Dockerode from 'dockerode';
import { NectarError } from '../../../protocol/errors.ts';
import { engineProblem, statusOf } from './engine-problem.ts';

const CALL_TIMEOUT_MS = 60_000;

export interface EngineCalls {
  readonly docker: Dockerode;
  /** For answers that are streams: they outlive the call. */
  readonly signal: AbortSignal;
  /** Runs one call to its end: its answer, the engine's signal, or its time limit. */
  must<T>(doing: string, work: (abortSignal: AbortSignal) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** The same, where 404 is an answer: undefined. */
  find<T>(doing: string, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T | undefined>;
  /** The same, where 404 (gone) and 304 (already so) are what was wanted. */
  settle(doing: string, work: (abortSignal: AbortSignal) => Promise<unknown>, timeoutMs?: number): Promise<void>;
}

export function createCalls(docker: Dockerode, engine: string, signal: AbortSignal): EngineCalls {
  async function attempt<T>(
    doing: string,
    work: (abortSignal: AbortSignal) => Promise<T>,
    timeoutMs: number,
  ): Promise<T> {
    signal.throwIfAborted();
    const limit = AbortSignal.timeout(timeoutMs);
    const both = AbortSignal.any([signal, limit]);
    try {
      // Raced as well: not every call of dockerode looks at its signal.
      return await Promise.race([work(both), rejectOnAbort(both)]);
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.aborted) throw error;
      const reason = `no answer in ${timeoutMs / 1000} s while ${doing}`;
      throw new NectarError('CLI_ENGINE_UNREACHABLE', { engine, reason }, { cause: error });
    }
  }
  async function unless<T>(statuses: readonly number[], doing: string, started: Promise<T>): Promise<T | undefined> {
    try {
      return await started;
    } catch (error) {
      if (signal.aborted) throw error;
      if (statuses.includes(statusOf(error) ?? 0)) return undefined;
      throw engineProblem(error, { engine, doing });
    }
  }
  return {
    docker,
    signal,
    must: async (doing, work, timeoutMs = CALL_TIMEOUT_MS) =>
      (await unless([], doing, attempt(doing, work, timeoutMs))) as Awaited<ReturnType<typeof work>>,
    find: (doing, work) => unless([404], doing, attempt(doing, work, CALL_TIMEOUT_MS)),
    settle: async (doing, work, timeoutMs = CALL_TIMEOUT_MS) => {
      await unless([304, 404], doing, attempt(doing, work, timeoutMs));
    },
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
