/** Runs at most `limit` works of one key at a time; the others wait their turn. */
export type Slots = <T>(key: string, work: () => Promise<T>) => Promise<T>;

interface Queue {
  active: number;
  readonly waiting: (() => void)[];
}

export function createSlots(limit: number): Slots {
  const queues = new Map<string, Queue>();

  async function enter(key: string): Promise<Queue> {
    const queue = queues.get(key) ?? { active: 0, waiting: [] };
    queues.set(key, queue);
    if (queue.active < limit) queue.active += 1;
    else await new Promise<void>((resolve) => queue.waiting.push(resolve));
    return queue;
  }

  function leave(key: string, queue: Queue): void {
    const next = queue.waiting.shift();
    if (next !== undefined) next();
    else queue.active -= 1;
    if (queue.active === 0) queues.delete(key);
  }

  return async (key, work) => {
    const queue = await enter(key);
    try {
      return await work();
    } finally {
      leave(key, queue);
    }
  };
}
