import { setTimeout as sleep } from 'node:timers/promises';

/** Shorter rests are added up: a timer is not that exact. */
const SHORTEST_REST_MS = 20;
const LONGEST_REST_MS = 10_000;

/** Divides the time between work in the background and everybody else. */
export interface Pace {
  /** Rests as long as the work since the last rest asks for. */
  rest(signal: AbortSignal): Promise<void>;
  /** The load is another one: who rests works again, and rests anew by it. */
  wake(): void;
}

export interface PaceDeps {
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** `load()`: percent of the time that is worked, 1 to 100. */
export function createPace(load: () => number, deps: PaceDeps = {}): Pace {
  const { now = () => performance.now() } = deps;
  const wait = deps.sleep ?? ((ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }));
  let since = now();
  let resting: Promise<void> | undefined;
  let waking = new AbortController();

  return {
    wake() {
      waking.abort();
      waking = new AbortController();
    },
    async rest(signal) {
      const share = Math.min(100, Math.max(1, load()));
      const due = ((now() - since) * (100 - share)) / share;
      if (resting === undefined && due < SHORTEST_REST_MS) return;
      // Several that work at a time rest together.
      const woken = waking.signal;
      resting ??= wait(Math.min(due, LONGEST_REST_MS), AbortSignal.any([signal, woken]))
        .catch((error: unknown) => {
          if (!woken.aborted) throw error;
        })
        .finally(() => {
          since = now();
          resting = undefined;
        });
      await resting;
      signal.throwIfAborted();
    },
  };
}
