/**
 * What is known of each L1 endpoint. `disagrees`: it contradicts L1 blocks that this node has derived from, deeper than reorgs go; it
 * is not asked for anything until it agrees again, even when no other one answers.
 */
export type EndpointStanding = 'good' | 'lagging' | 'silent' | 'disagrees';

/** For status, metrics and logs: no credentials, no path. */
export interface EndpointState {
  readonly url: string;
  readonly standing: EndpointStanding;
  readonly answers: number;
  readonly failures: number;
  /** Newest block that it named when it was last compared. */
  readonly head?: bigint;
  /** Blocks by which that was behind the best one. */
  readonly lag?: bigint;
  /** Why it did not answer the last time; absent once it answered again. */
  readonly problem?: string;
}

/** The endpoints of one chain, and the order in which they are asked. */
export interface Endpoints {
  readonly urls: readonly string[];
  /** Indexes to try, the best first. */
  order(): readonly number[];
  answered(index: number): void;
  failed(index: number, problem: string): void;
  /** The one that answered last said what is not true: begin with another one. */
  distrust(): void;
  judge(index: number, judged: { standing: EndpointStanding; head?: bigint; lag?: bigint }): void;
  list(): readonly EndpointState[];
}

const RANK: Record<EndpointStanding, number> = { good: 0, lagging: 1, silent: 2, disagrees: 3 };

export function createEndpoints(urls: readonly string[]): Endpoints {
  const states: EndpointState[] = urls.map((url) => ({
    url: originOf(url),
    standing: 'good',
    answers: 0,
    failures: 0,
  }));
  let preferred = 0;

  function change(index: number, changed: Partial<EndpointState>): void {
    const state = states[index];
    if (state !== undefined) states[index] = { ...state, ...changed };
  }

  return {
    urls,
    order() {
      const turn = (index: number): number => (index - preferred + urls.length) % urls.length;
      const rank = (index: number): number => RANK[states[index]?.standing ?? 'good'];
      return [...urls.keys()]
        .filter((index) => states[index]?.standing !== 'disagrees')
        .sort((a, b) => rank(a) - rank(b) || turn(a) - turn(b));
    },
    answered(index) {
      preferred = index;
      const state = states[index];
      if (state === undefined) return;
      const { problem: _, ...rest } = state;
      states[index] = { ...rest, answers: state.answers + 1 };
    },
    failed: (index, problem) => change(index, { failures: (states[index]?.failures ?? 0) + 1, problem }),
    distrust() {
      preferred = (preferred + 1) % Math.max(urls.length, 1);
    },
    judge: (index, judged) => change(index, judged),
    list: () => [...states],
  };
}

/** Scheme, host and port: what else is in a URL may be a key. */
function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return 'not a URL';
  }
}
