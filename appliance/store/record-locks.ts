/** Changes of one record come one after another; different records do not wait for each other. */
export interface RecordLocks {
  run<T>(id: string, change: () => Promise<T>): Promise<T>;
}

export function createRecordLocks(): RecordLocks {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(id, change) {
      const result = (tails.get(id) ?? Promise.resolve()).then(change);
      const tail = result
        .catch(() => undefined)
        .then(() => {
          if (tails.get(id) === tail) tails.delete(id);
        });
      tails.set(id, tail);
      return result;
    },
  };
}
