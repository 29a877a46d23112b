/** Callers that wait for one event; each leaves when its signal aborts. */
export interface WaitList {
  wait(signal: AbortSignal): Promise<void>;
  wake(): void;
}

export function createWaitList(): WaitList {
  const waiting = new Set<() => void>();
  return {
    wait: (signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          waiting.delete(wake);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(wake);
      }),
    wake() {
      for (const wake of waiting) wake();
      waiting.clear();
    },
  };
}
