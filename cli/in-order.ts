export interface InOrderOptions<T, R> {
  /** How many are worked on at a time. */
  readonly limit: number;
  readonly work: (item: T) => Promise<R>;
  /** What went wrong in a part of what was done: its result is yielded, and then it counts as a failure. */
  readonly failureOf?: (result: R) => { readonly error: unknown } | undefined;
  /** Items that are worked on while nothing else is. */
  readonly alone?: (item: T) => boolean;
}

/**
 * Works on several items at a time and yields the results in the order of the items. After a failure, of the work or of the items,
 * nothing new begins; what had begun is waited for and its results are yielded, so that nothing that was done goes unsaid. Then
 * the first failure in that order is thrown.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  { limit, work, failureOf = () => undefined, alone = () => false }: InOrderOptions<T, R>,
): AsyncGenerator<R> {
  const running: Promise<{ value: R; failure?: { readonly error: unknown } | undefined } | { error: unknown }>[] = [];
  const failures: { error: unknown }[] = [];
  let failed = false;

  const begin = (item: T): void => {
    const result = work(item).then(
      (value) => {
        const failure = failureOf(value);
        failed ||= failure !== undefined;
        return { value, failure };
      },
      (error: unknown) => {
        failed = true;
        return { error };
      },
    );
    running.push(result);
  };
  async function* finish(leave: number): AsyncGenerator<R> {
    while (running.length > leave) {
      const result = await running.shift();
      if (result === undefined) return;
      if ('error' in result) {
        failures.push(result);
        continue;
      }
      yield result.value;
      if (result.failure !== undefined) failures.push(result.failure);
    }
  }

  let source: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      if (alone(item)) {
        yield* finish(0);
        if (!failed) begin(item);
        yield* finish(0);
      } else {
        yield* finish(limit - 1);
        if (!failed) begin(item);
      }
      if (failed) break;
    }
  } catch (error) {
    source = { error };
  }
  yield* finish(0);
  const first = failures[0] ?? source;
  if (first !== undefined) throw first.error;
}
