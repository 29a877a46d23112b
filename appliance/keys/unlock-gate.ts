import { NectarError } from '../../protocol/errors.ts';

/** Attempts that may queue behind the one that runs; Argon2 takes 64 MiB each, so only one runs at a time. */
const MAX_WAITING = 4;

export interface UnlockGate {
  /** Runs one attempt after its turn and its delay. `attempt` says whether the passphrase was right. */
  run(attempt: () => Promise<boolean>): Promise<boolean>;
}

/**
 * Slows down guessing: after n wrong attempts in a row the next one waits delayMs * 2^(n-1), up to maxMs. The wait comes
 * before the attempt and whatever it holds, so a right passphrase is not told apart by time.
 */
export function createUnlockGate(
  options: { readonly delayMs: number; readonly maxMs: number },
  deps: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<void> },
): UnlockGate {
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let failures = 0;
  let lastFailureMs = 0;

  async function attemptInTurn(attempt: () => Promise<boolean>): Promise<boolean> {
    if (failures > 0) {
      const delay = Math.min(options.delayMs * 2 ** (failures - 1), options.maxMs);
      const rest = Math.min(lastFailureMs + delay - deps.now().getTime(), delay);
      if (rest > 0) await deps.sleep(rest);
    }
    const right = await attempt();
    failures = right ? 0 : failures + 1;
    lastFailureMs = deps.now().getTime();
    return right;
  }

  return {
    run(attempt) {
      if (waiting >= MAX_WAITING) return Promise.reject(new NectarError('KEY_UNLOCK_BUSY', { waiting }));
      waiting += 1;
      const result = turn
        .then(() => attemptInTurn(attempt))
        .finally(() => {
          waiting -= 1;
        });
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

/** Work that fails when a secret is wrong, as one attempt. */
export async function attemptOf<T>(gate: UnlockGate, work: () => Promise<T>): Promise<T> {
  let outcome: { readonly done: T } | { readonly failure: unknown } = { failure: undefined };
  await gate.run(async () => {
    outcome = await work().then(
      (done) => ({ done }),
      (failure: unknown) => ({ failure }),
    );
    return 'done' in outcome;
  });
  // Assigned in the callback, which the compiler does not follow.
  const ended = outcome as { readonly done: T } | { readonly failure: unknown };
  if ('done' in ended) return ended.done;
  throw ended.failure;
}
