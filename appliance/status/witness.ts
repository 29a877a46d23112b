/** What members know of this node's audit log, and this node of theirs. */
export interface WitnessStanding {
  /** Members of whose audit logs this node, as a witness, keeps two stories. */
  readonly splitLogs: readonly string[];
  readonly recalled: Recalled | null;
}

/** What members were asked of the log before its newest declared epoch. */
interface Recalled {
  readonly epoch: number;
  readonly answered: number;
  readonly silent: number;
  readonly newest: number;
}

export interface ShownWitness {
  splitLogs: string[];
  recalled: Recalled | null;
}

export function describeWitness({ splitLogs, recalled }: WitnessStanding): ShownWitness {
  return { splitLogs: [...splitLogs], recalled };
}
