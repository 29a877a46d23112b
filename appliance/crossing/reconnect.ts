const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** While nobody answers, tries get rarer: a burst of requests is refused at once instead of each knocking. */
export interface Reconnect {
  mayTry(): boolean;
  succeeded(): void;
  failed(): void;
}

export function createReconnect(now: () => number = () => performance.now()): Reconnect {
  let pauseMs = 0;
  let until = 0;
  return {
    mayTry: () => now() >= until,
    succeeded() {
      pauseMs = 0;
      until = 0;
    },
    failed() {
      // Calls that failed together are one try.
      if (now() < until) return;
      pauseMs = pauseMs === 0 ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      until = now() + pauseMs;
    },
  };
}
