import { SEVERITIES, type Severity } from '../check.ts';

/** From the worst; within a severity in the order given. */
export function bySeverity<T extends { readonly severity: Severity }>(results: readonly T[]): T[] {
  return results.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
