/** Seconds since 1970 of each head's own block; undefined: not known yet. */
export interface HeadTimes {
  readonly l1: { readonly timestamp: bigint } | undefined;
  readonly unsafe: { readonly timestamp: bigint };
  readonly safe: { readonly timestamp: bigint };
}

export interface StaleLimits {
  readonly nowMs: number;
  /** Age at which L1's newest block means that L1, or the endpoint, stands still. 0, here and below: never. */
  readonly l1HeadStaleMs: number;
  /** Age at which the newest L2 block means that the sequencer, or the way to it, stands still. */
  readonly l2HeadStaleMs: number;
  /** Age at which the newest L2 block that L1 has means that batches do not arrive, or are not derived. */
  readonly safeHeadStaleMs: number;
}

/**
 * Why the chain is not current although everything answers: an endpoint that repeats the same head, and a sequencer that only
 * answers, are no better than silence. It is the head's age that counts. Undefined when all heads move.
 */
export function findStalledHead({ l1, unsafe, safe }: HeadTimes, limits: StaleLimits): string | undefined {
  const ageOf = (head: { readonly timestamp: bigint }): number => limits.nowMs - Number(head.timestamp) * 1000;
  const isStale = (head: { readonly timestamp: bigint }, limitMs: number): boolean =>
    limitMs > 0 && ageOf(head) > limitMs;
  const seconds = (head: { readonly timestamp: bigint }): string => `${Math.round(ageOf(head) / 1000)} s`;
  // The derivation genesis has no time: its block was not read.
  if (l1 !== undefined && l1.timestamp > 0n && isStale(l1, limits.l1HeadStaleMs))
    return `the newest L1 block is ${seconds(l1)} old`;
  if (isStale(unsafe, limits.l2HeadStaleMs)) return `the sequencer's newest block is ${seconds(unsafe)} old`;
  if (isStale(safe, limits.safeHeadStaleMs)) return `the newest L2 block that L1 has confirmed is ${seconds(safe)} old`;
  return undefined;
}
