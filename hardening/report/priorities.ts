import type { Severity } from '../check.ts';
import { bySeverity } from './by-severity.ts';
import type { Report, Result } from './report.ts';
import { forTarget } from './words.ts';

/** One thing to do, and every failure that it ends. */
export interface Priority {
  readonly remedy: string;
  /** Of the worst of them. */
  readonly severity: Severity;
  readonly results: readonly Result[];
}

/** What to do first: failures from the worst, those with one remedy together, in the words for the node's target. */
export function prioritiesOf({ results, node }: Pick<Report, 'results' | 'node'>): Priority[] {
  const failures = bySeverity(results.filter(({ verdict }) => verdict === 'fail'));
  const remedies = Map.groupBy(failures, ({ remediation }) => forTarget(remediation, node.target));
  return [...remedies].map(([remedy, ended]) => ({
    remedy,
    severity: ended[0]?.severity ?? 'low',
    results: ended,
  }));
}
