import { NectarError } from '../../protocol/errors.ts';

/** Work that makes no sense twice at a time, and costs memory or hours: unlock, verify, scrub, rotate. */
export interface Exclusive {
  /** GATEWAY_OPERATION_RUNNING when the same operation runs. */
  run<T>(operation: string, work: () => Promise<T>): Promise<T>;
}

export function createExclusive(): Exclusive {
  const running = new Set<string>();
  return {
    async run(operation, work) {
      if (running.has(operation)) throw new NectarError('GATEWAY_OPERATION_RUNNING', { operation });
      running.add(operation);
      try {
        return await work();
      } finally {
        running.delete(operation);
      }
    },
  };
}
