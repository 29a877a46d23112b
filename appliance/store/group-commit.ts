/** Operations per write: keeps one batch, and its memory, small under load. */
const MAX_GROUP_OPERATIONS = 4096;

export interface GroupCommit<T> {
  /** Resolves when the operations, all of them in one write, are durable; `lazy`: when they are written. */
  commit(operations: readonly T[], lazy?: boolean): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Waiting<T> {
  readonly operations: readonly T[];
  readonly lazy: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** Callers that arrive while a write is under way share the next one, and its fsync. Order of arrival is kept. */
export function createGroupCommit<T>(
  write: (operations: readonly T[], durable: boolean) => Promise<void>,
): GroupCommit<T> {
  const waiting: Waiting<T>[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const group = nextGroup(waiting);
      try {
        const operations = group.flatMap((member) => member.operations);
        await write(operations, !group.every((member) => member.lazy));
        for (const member of group) member.resolve();
      } catch (error) {
        for (const member of group) member.reject(error);
      }
    }
    running = undefined;
  }

  return {
    commit(operations, lazy = false) {
      return new Promise((resolve, reject) => {
        waiting.push({ operations, lazy, resolve, reject });
        running ??= Promise.resolve().then(run);
      });
    },
    async idle() {
      while (running !== undefined) await running;
    },
  };
}

function nextGroup<T>(waiting: Waiting<T>[]): Waiting<T>[] {
  let operations = 0;
  let take = 0;
  for (const member of waiting) {
    operations += member.operations.length;
    if (take > 0 && operations > MAX_GROUP_OPERATIONS) break;
    take += 1;
  }
  return waiting.splice(0, take);
}
