import type { EndpointState } from './endpoints.ts';

/** An L1 endpoint for people and other roles: its origin alone, since the rest of a URL may be a key. */
export interface ShownL1Endpoint {
  url: string;
  /** `uncompared`: nothing was held against it yet, or there is no second one to hold against it. */
  standing: 'good' | 'lagging' | 'silent' | 'disagrees' | 'uncompared';
  head: number | null;
  lag: number | null;
  answers: number;
  failures: number;
  problem?: string;
}

/** L1 as this node reads it. */
export interface ShownL1 {
  /** The newest L1 block that L2 was derived from; null until it is known. */
  block: number | null;
  readonly endpoints: readonly ShownL1Endpoint[];
  /** Why derivation does not believe its endpoints now. */
  disagreement?: string;
  /** Which batch's data nobody gives now, and why. */
  waiting?: string;
}

/** What keeps derivation from following an L1 that answers. */
export interface L1Obstacles {
  readonly disagreement?: string;
  readonly waiting?: string;
}

/** As many as are listed; the others work as well. */
const MAX_SHOWN_ENDPOINTS = 32;

export function describeL1(
  block: bigint | undefined,
  endpoints: readonly EndpointState[],
  obstacles: L1Obstacles,
): ShownL1 {
  const shown = endpoints.slice(0, MAX_SHOWN_ENDPOINTS).map(describeEndpoint);
  return { block: block === undefined ? null : Number(block), endpoints: shown, ...obstacles };
}

function describeEndpoint({ url, standing, answers, failures, head, lag, problem }: EndpointState): ShownL1Endpoint {
  // Every endpoint begins as good, without having been asked.
  const isCompared = head !== undefined || standing !== 'good';
  return {
    ...{ url, standing: isCompared ? standing : 'uncompared' },
    head: head === undefined ? null : Number(head),
    lag: lag === undefined ? null : Number(lag),
    ...{ answers, failures },
    ...(problem !== undefined && { problem }),
  };
}
