/** L1 as this node reads it: its endpoints by standing, and what keeps it from following them. */
export interface L1Standing {
  block: number | null;
  readonly endpoints: readonly L1Endpoint[];
  disagreement?: string;
  waiting?: string;
}

interface L1Endpoint {
  url: string;
  standing: 'good' | 'lagging' | 'silent' | 'disagrees' | 'uncompared';
  head: number | null;
  lag: number | null;
  answers: number;
  failures: number;
  problem?: string;
}

export type ShownL1Standing = Omit<L1Standing, 'endpoints'> & { endpoints: L1Endpoint[] };

export function describeL1({ endpoints, ...rest }: L1Standing): ShownL1Standing {
  return { ...rest, endpoints: [...endpoints] };
}
