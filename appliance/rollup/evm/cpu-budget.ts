/** Computing time that each caller may use: a bucket that refills, so that a burst is free and a flood is not. */
export interface CpuBudget {
  /** Seconds until the caller may compute again; 0: now. */
  waitS(caller: string): number;
  spend(caller: string, ms: number): void;
}

export interface CpuBudgetOptions {
  readonly capacityMs: number;
  /** Milliseconds of computing that come back in each millisecond of time. */
  readonly refill: number;
}

const MAX_CALLERS = 4_096;

export function createCpuBudget(options: CpuBudgetOptions, now: () => number): CpuBudget {
  const { capacityMs, refill } = options;
  const buckets = new Map<string, { leftMs: number; at: number }>();

  const leftOf = (caller: string): number => {
    const bucket = buckets.get(caller);
    if (bucket === undefined) return capacityMs;
    return Math.min(capacityMs, bucket.leftMs + Math.max(0, now() - bucket.at) * refill);
  };
  /** Who is full again is as good as unknown. */
  const forgetFull = (): void => {
    for (const caller of buckets.keys()) if (leftOf(caller) >= capacityMs) buckets.delete(caller);
  };

  return {
    waitS(caller) {
      const leftMs = leftOf(caller);
      return leftMs > 0 ? 0 : Math.ceil((1 - leftMs) / refill / 1000);
    },
    spend(caller, ms) {
      const leftMs = leftOf(caller) - ms;
      if (buckets.size >= MAX_CALLERS) forgetFull();
      buckets.set(caller, { leftMs, at: now() });
    },
  };
}
