import { NectarError } from '../../protocol/errors.ts';

/** Collects what arrives while the disk is busy, so that many appends share one fsync. */
export interface AppendQueue<T, R> {
  /** Resolves once the item's group is durable; rejects when its group could not be written. */
  push(item: T): Promise<R>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

export interface AppendQueueOptions<T, R> {
  readonly maxPending: number;
  /** Makes the first items durable, as many as it likes but at least one; returns a result for each that it took. */
  readonly commit: (items: readonly T[]) => Promise<readonly R[]>;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export function createAppendQueue<T, R>({ maxPending, commit }: AppendQueueOptions<T, R>): AppendQueue<T, R> {
  const waiting: Waiting<T, R>[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) await commitSome();
    running = undefined;
  }

  async function commitSome(): Promise<void> {
    try {
      const results = await commit(waiting.map(({ item }) => item));
      const group = waiting.splice(0, results.length);
      results.forEach((result, i) => {
        group[i]?.resolve(result);
      });
    } catch (error) {
      // Whoever waits now learns at once that nothing can be recorded: no request hangs on a full disk.
      for (const { reject } of waiting.splice(0)) reject(error);
    }
  }

  return {
    push(item) {
      if (waiting.length >= maxPending)
        return Promise.reject(new NectarError('AUDIT_NOT_WRITABLE', { reason: 'too many events wait for the disk' }));
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        // One turn of the event loop first: the requests of that turn share the group.
        running ??= Promise.resolve().then(run);
      });
    },
    async drain() {
      while (running !== undefined) await running;
    },
  };
}
