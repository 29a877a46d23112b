import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** By the clock, whatever each look takes. */
  readonly timeoutMs: number;
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/** Looks again and again until there is something; undefined when the time is over. A look that hangs must end by itself. */
export async function waitUntil<T>(look: () => Promise<T | undefined>, wait: Wait): Promise<T | undefined> {
  const end = performance.now() + wait.timeoutMs;
  do {
    wait.signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    await sleep(wait.pollMs, undefined, { signal: wait.signal });
  } while (performance.now() < end);
  return undefined;
}
