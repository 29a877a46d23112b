import { SEVERITIES, type Severity } from '../check.ts';
import type { Verdict } from '../finding.ts';

/** What a check of each severity weighs in the score. */
const WEIGHTS: Readonly<Record<Severity, number>> = { critical: 10, high: 6, medium: 3, low: 1 };

export interface Score {
  /** 0 to 100, rounded down: 100 means that everything that counted passed, and that every critical promise is kept. */
  readonly value: number;
  /** The best that it could be: less than 100 while a critical promise is broken, waived or not seen. */
  readonly ceiling: number;
  /** Sum of the weights of what passed. */
  readonly earned: number;
  /** Sum of the weights of what counted. */
  readonly possible: number;
  /** Per severity: how many counted, how many of them passed. */
  readonly parts: readonly { severity: Severity; weight: number; counted: number; passed: number }[];
}

/**
 * Counted are pass, fail and error: what could not be looked at earns nothing. Left out are manual and not-applicable checks, and
 * waived ones, which the report lists beside the score instead.
 */
export function scoreOf(
  results: readonly { readonly severity: Severity; readonly verdict: Verdict }[],
  {
    weights = WEIGHTS,
    ceiling = 100,
  }: { readonly weights?: Readonly<Record<Severity, number>>; readonly ceiling?: number } = {},
): Score {
  const counts = (verdict: Verdict): boolean => verdict === 'pass' || verdict === 'fail' || verdict === 'error';
  const parts = SEVERITIES.map((severity) => {
    const counted = results.filter((result) => result.severity === severity && counts(result.verdict));
    const passed = counted.filter(({ verdict }) => verdict === 'pass').length;
    return { severity, weight: weights[severity], counted: counted.length, passed };
  });
  const earned = parts.reduce((sum, { weight, passed }) => sum + weight * passed, 0);
  const possible = parts.reduce((sum, { weight, counted }) => sum + weight * counted, 0);
  const value = possible === 0 ? 0 : Math.floor((100 * earned) / possible);
  return { value: Math.min(value, ceiling), ceiling, earned, possible, parts };
}
