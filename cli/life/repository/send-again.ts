import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { NectarError } from '../../../protocol/errors.ts';

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 30_000;

export interface SendAgain {
  /** Statuses that tell to come again: slow down, a race of two writers, a server that restarts. */
  readonly passing: ReadonlySet<number>;
  readonly signal: AbortSignal;
  refuse(reason: string, cause?: unknown): never;
}

/** A request again and again for what passes, as soon as the server says; the last answer whatever it says. */
export async function sendAgain(
  once: () => Promise<Dispatcher.ResponseData>,
  { passing, signal, refuse }: SendAgain,
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1, pause = FIRST_PAUSE_MS; ; attempt += 1, pause *= 2) {
    let wanted = 0;
    try {
      const answer = await once();
      if (!passing.has(answer.statusCode) || attempt >= ATTEMPTS) return answer;
      wanted = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0;
      await answer.body.dump();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NectarError) throw error;
      if (attempt >= ATTEMPTS) refuse((error as NodeJS.ErrnoException).code ?? (error as Error).message, error);
    }
    const wait = Math.min(Math.max(wanted, pause * (0.5 + Math.random() / 2)), MAX_PAUSE_MS);
    await sleep(wait, undefined, { signal });
  }
}
