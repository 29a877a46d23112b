/** Progress that is told faster than it is taken: the newest is sent, one at a time, the rest is dropped. */
export interface Progress<T> {
  readonly tell: (value: T) => void;
  /** Nothing is being sent any more. */
  settled(): Promise<void>;
}

/** Often enough for a bar, and the stream shows life. */
const INTERVAL_MS = 200;

export function createProgress<T>(send: (value: T) => Promise<void>, now = () => performance.now()): Progress<T> {
  let sending: Promise<void> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  return {
    tell(value) {
      if (sending !== undefined || now() - last < INTERVAL_MS) return;
      last = now();
      // A receiver that left is told of by the signal of the call.
      sending = send(value)
        .catch(() => undefined)
        .finally(() => {
          sending = undefined;
        });
    },
    settled: async () => sending,
  };
}
