import type { Verdict } from '../finding.ts';
import { HIPAA_CLAUSES } from './generated/hipaa-clauses.ts';
import type { Result } from './report.ts';

/** A standard, or an implementation specification of one: 45 CFR Part 164, Subpart C, as in force. */
export interface Clause {
  readonly id: string;
  readonly title: string;
  /**
   * A standard must be met. A specification is required, or addressable: assess it, implement it where reasonable and appropriate,
   * else write down why and do what is equivalent (164.306(d)(3)). Addressable is not optional.
   */
  readonly rule: 'standard' | 'required' | 'addressable';
}

/** Technical safeguards, all of them: what a node is for. */
export const TECHNICAL_CLAUSES: readonly Clause[] = HIPAA_CLAUSES.filter(({ id }) => id.startsWith('164.312'));

/** Administrative, physical, organisational: duties of the owner, to some of which a node contributes evidence. */
export const FURTHER_CLAUSES: readonly Clause[] = HIPAA_CLAUSES.filter(({ id }) => !id.startsWith('164.312'));

/** What the node's evidence says of a clause: the worst verdict of any check; what passed counts before what nobody looked at. */
export interface ClauseEvidence {
  readonly clause: Clause;
  readonly verdict: Verdict | 'none';
  /** From the worst. */
  readonly results: readonly Result[];
}

const WORST_FIRST: readonly Verdict[] = ['fail', 'error', 'waived', 'pass', 'manual', 'not-applicable'];

export function evidenceOf(clause: Clause, results: readonly Result[]): ClauseEvidence {
  const own = results.filter(({ refs }) => refs.some((ref) => isOf(ref, clause)));
  const sorted = own.toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict));
  return { clause, verdict: sorted[0]?.verdict ?? 'none', results: sorted };
}

function isOf({ standard: name, clause: text }: Result['refs'][number], { id }: Clause): boolean {
  return /HIPAA|45 CFR/i.test(name) && text.replaceAll(/^(45 CFR )?(\u00a7 ?)?/gi, '') === id;
}
