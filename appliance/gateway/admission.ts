import { NectarError } from '../../protocol/errors.ts';

/** Counts what is going on at a time and refuses more: the bound on memory and on the work one caller can cause. */
export interface Admission {
  /** Returns the release, to be called once; GATEWAY_BUSY. */
  enter(): () => void;
}

export function createAdmission(
  what: string,
  limit: number,
  onChange: (count: number) => void = () => undefined,
): Admission {
  let count = 0;
  return {
    enter() {
      if (count >= limit) throw new NectarError('GATEWAY_BUSY', { what, limit });
      onChange(++count);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        onChange(--count);
      };
    },
  };
}

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
