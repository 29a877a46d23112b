/**
 * The items of a feed as an iterable: the feed goes on when the consumer asks for more, and ends when the consumer leaves.
 */
export async function* pumped<T>(
  run: (onItem: (item: T) => Promise<void>, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  const left = new AbortController();
  let offer: ((item: T | undefined) => void) | undefined;
  let take: (() => void) | undefined;
  let next = new Promise<T | undefined>((resolve) => {
    offer = resolve;
  });
  const running = run(
    async (item) => {
      left.signal.throwIfAborted();
      offer?.(item);
      await new Promise<void>((resolve) => {
        take = resolve;
      });
    },
    AbortSignal.any([signal, left.signal]),
  );
  // The end, good or bad, wakes whoever waits for an item.
  running.then(
    () => offer?.(undefined),
    () => offer?.(undefined),
  );
  try {
    for (;;) {
      const item = await next;
      if (item === undefined) {
        await running;
        return;
      }
      yield item;
      next = new Promise((resolve) => {
        offer = resolve;
      });
      take?.();
    }
  } finally {
    left.abort();
    take?.();
    await running.catch(() => undefined);
  }
}
