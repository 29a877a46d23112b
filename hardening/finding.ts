import type { Source } from './fact-set.ts';
import type { FactValue } from './fact-type.ts';

export const VERDICTS = ['pass', 'fail', 'manual', 'not-applicable', 'waived', 'error'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One subject, looked at for one check. */
export interface Evidence {
  readonly subject: string;
  /** Where the subject is written down. */
  readonly source?: Source;
  /** Absent when it could not be seen. */
  readonly observed?: FactValue;
  readonly error?: string;
  readonly holds: boolean;
}

/** A decision to live with a failure, with a name under it and an end. */
export interface Waiver {
  readonly check: string;
  readonly owner: string;
  readonly reason: string;
  /** Day after which it counts no more, YYYY-MM-DD, UTC. */
  readonly until: string;
  /** When it was made, ISO 8601. */
  readonly since: string;
  /** The leaf of the audit log that it is taken from. */
  readonly auditLeaf?: number;
}

/** What was found for one check. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  /** Why, where the verdict does not follow from the evidence: not-applicable, error. */
  readonly reason?: string;
  readonly evidence: readonly Evidence[];
  /** The waiver in force, or the one that has run out. */
  readonly waiver?: Waiver;
}
