/** Keys of one look: a client that asks for one value waits for the others' as long as they take. */
const MAX_JOINED = 128;

export interface Reads<K, V> {
  one(key: K): Promise<V>;
  /** In their order. */
  many(keys: K[]): Promise<V[]>;
}

interface Waiting<K, V> {
  readonly key: K;
  resolve(value: V | Promise<V>): void;
}

/**
 * Reads that are asked for in one turn are one look: each look is a journey to the thread pool and back, which costs more than what it
 * finds. What fails for many is asked for one by one, so that nobody gets the error of another.
 */
export function joinReads<K, V>({ one, many }: Reads<K, V>): (key: K) => Promise<V> {
  let waiting: Waiting<K, V>[] = [];

  function look(): void {
    const asked = waiting;
    waiting = [];
    for (let begun = 0; begun < asked.length; begun += MAX_JOINED) lookFor(asked.slice(begun, begun + MAX_JOINED));
  }

  function lookFor(some: readonly Waiting<K, V>[]): void {
    const [first] = some;
    if (first !== undefined && some.length === 1) first.resolve(one(first.key));
    else
      many(some.map(({ key }) => key)).then(
        (values) => {
          for (const [i, { resolve }] of some.entries()) resolve(values[i] as V);
        },
        () => {
          for (const { key, resolve } of some) resolve(one(key));
        },
      );
  }

  return (key) =>
    new Promise((resolve) => {
      waiting.push({ key, resolve });
      if (waiting.length === 1) queueMicrotask(look);
    });
}
